#include "distributed/mpi_session.h"

#include <gtest/gtest.h>

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/host_name.h"
#include "core/text.h"
#include "distributed/consistency_check.h"
#include "distributed/rendezvous.h"
#include "rank_main.h"
#include "support/raises.h"

namespace dfine {
namespace {

using test::group;
using test::session;

TEST(MpiSession, KnowsItsPlace) {
  EXPECT_EQ(session().rank(), group().rank());
  EXPECT_EQ(session().size(), group().size());
  EXPECT_EQ(session().local_size(), session().size());  // one host here
  EXPECT_EQ(session().local_rank(), session().rank());
  EXPECT_EQ(session().ranks().size(), static_cast<size_t>(session().size()));
  for (int r = 0; r < session().size(); ++r) {
    EXPECT_EQ(session().ranks()[static_cast<size_t>(r)].rank, r);
    EXPECT_EQ(session().ranks()[static_cast<size_t>(r)].device, "cpu");
  }
}

TEST(MpiSession, TableHasALineForEachRank) {
  const std::string table = session().rank_table();
  EXPECT_EQ(table.find("rank"), 0u);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), session().size());
  EXPECT_NE(table.find(session().host()), std::string::npos);
}

TEST(MpiSession, StoreIsReachedByAllRanks) {
  if (session().size() == 1) GTEST_SKIP() << "no store alone";
  const auto store = session().store();
  store->add("arrived", 1);
  group().barrier();
  EXPECT_EQ(store->add("arrived", 0), session().size());
}

TEST(MpiSession, RefusesGpusInABuildWithoutCuda) {
#ifndef DFINE_CUDA
  EXPECT_THROW(session().make_communicator(DeviceRequest::kCuda), Error);
#endif
}

TEST(Agreement, PassesWhenAllAgree) {
  check_agreement(group(), "the configuration", std::string(100000, 'x'));
}

TEST(Agreement, NamesTheRanksThatDifferAndTheirValues) {
  if (group().is_single()) GTEST_SKIP() << "needs peers";
  const int last = group().size() - 1;
  const std::string others = last == 1 ? "rank 0" : str_cat("ranks 0-", last - 1),
                    host = host_name();
  const auto check = [&] {
    check_agreement(group(), "data.train", group().rank() == last ? "/data/b" : "/data/a");
  };
  EXPECT_TRUE(raises(ErrorCode::kRanksDisagree, check, "data.train",
                     str_cat("\n  ", others, " on ", host, ": /data/a\n  rank ", last, " on ", host,
                             ": /data/b")));
}

TEST(Agreement, NamesEachValueThatDiffers) {
  if (group().is_single()) GTEST_SKIP() << "needs peers";
  const bool is_root = group().rank() == 0;
  const Caught caught = catch_error([&] {
    check_agreement(group(), {{"optim.lr", is_root ? "0.1" : "0.2"},
                              {"data.train", "/data/a"},
                              {"train.epochs", is_root ? "3" : "4"}});
  });
  EXPECT_TRUE(caught.is(ErrorCode::kRanksDisagree, "optim.lr", "rank 0 on ", ": 0.1", ": 0.2",
                        "train.epochs", ": 3", ": 4"));
  EXPECT_EQ(caught.text.find("data.train"), std::string::npos) << caught.text;
}

TEST(Agreement, ShowsLongValuesWhereTheyDiffer) {
  if (group().is_single()) GTEST_SKIP() << "needs peers";
  std::string value(5000, 'a');
  if (group().rank() == 1) value[4000] = 'b';
  const Caught caught = catch_error([&] { check_agreement(group(), "shapes", value); });
  EXPECT_TRUE(caught.is(ErrorCode::kRanksDisagree, "rank 1 on ", ": ..."));
  EXPECT_NE(caught.text.find("aab"), std::string::npos) << caught.text;
  EXPECT_LT(caught.text.size(), 800u);
}

TEST(Rendezvous, FindsWhatListens) {
  if (session().size() == 1) GTEST_SKIP() << "no store alone";
  const uint16_t port = session().store()->getPort();
  EXPECT_TRUE(answers("127.0.0.1", port, 1000));
  EXPECT_FALSE(answers("no-such-host.invalid", port, 1000));
  for (const auto& address : own_addresses()) EXPECT_TRUE(answers(address, port, 1000)) << address;
}

}  // namespace
}  // namespace dfine
