#include "core/error_context.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/thread_pool.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Lines = std::vector<std::string>;

void fail_in_record(int record) {
  const ErrorContext at("in record ", record);
  throw Error(kRecordInvalid, "image/size is 0", "pack the data again");
}

TEST(ErrorContext, AnErrorTakesItsScopesAlongInnermostFirst) {
  const std::string path = "shard-00001.h5";
  const ErrorContext at("in ", path);
  EXPECT_STREQ(Error(kInternal, "x").what(), "x [internal]\n  in shard-00001.h5");
  try {
    const ErrorContext inner([] { return "while verifying"; });
    fail_in_record(3);
    FAIL();
  } catch (Error& e) {
    EXPECT_EQ(e.context(), (Lines{"in record 3", "while verifying", "in shard-00001.h5"}));
    e.add_context("in epoch 2");
    EXPECT_STREQ(
        e.what(),
        "image/size is 0 [record_invalid]\n  in record 3\n  while verifying\n  in shard-00001.h5\n"
        "  in epoch 2\nhint: pack the data again");
  }
}

TEST(ErrorContext, EndsWithItsScopeHoweverThatEnds) {
  {
    const ErrorContext at("in a block");
  }
  EXPECT_TRUE(Error(kInternal, "x").context().empty());
  EXPECT_THROW(fail_in_record(1), Error);
  EXPECT_TRUE(Error(kInternal, "x").context().empty());
  const auto fail_otherwise = [] {
    const ErrorContext at("unused");
    throw std::runtime_error("y");
  };
  try {
    fail_otherwise();
    FAIL();
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "y");
  }
  EXPECT_TRUE(Error(kInternal, "x").context().empty());
}

TEST(ErrorContext, IsPutIntoWordsOnlyForAnError) {
  int calls = 0;
  const auto name = [&] {
    ++calls;
    return "a.jpg";
  };
  {
    const ErrorContext at("decoding ", name);
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(Error(kInternal, "x").context(), Lines{"decoding a.jpg"});
    EXPECT_EQ(calls, 1);
  }
  EXPECT_EQ(calls, 1);
}

TEST(ErrorContext, ReadsVariablesLateAndKeepsTemporaries) {
  std::string name = "a";
  const ErrorContext at(name, " of ", std::string(40, 'b'), " and ", name.size());
  name = "later";
  EXPECT_EQ(Error(kInternal, "x").context(), Lines{"later of " + std::string(40, 'b') + " and 1"});
}

TEST(ErrorContext, MayItselfFail) {
  const ErrorContext at([]() -> std::string { throw Error(kInternal, "no name"); });
  try {
    throw Error(kInternal, "lost");
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "no name [internal]");
  }
  EXPECT_THROW(ErrorScope::texts(), Error);  // it is there still
}

TEST(ErrorContext, BelongsToItsThread) {
  ThreadPool pool(1);
  const ErrorContext outer("in the caller");
  auto done = pool.submit([] {
    const ErrorContext at("in the worker");
    throw Error(kInternal, "x");
  });
  try {
    done.get();
    FAIL();
  } catch (Error& e) {
    EXPECT_EQ(e.context(), Lines{"in the worker"});
    e.add_scopes();
    EXPECT_STREQ(e.what(), "x [internal]\n  in the worker\n  in the caller");
  }
}

TEST(ErrorContext, IsPartOfErrorsOfEachKind) {
  const ErrorContext at("on the command line");
  try {
    throw UsageError("bad option");
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(), "bad option [usage]\n  on the command line");
  }
}

}  // namespace
}  // namespace dfine
