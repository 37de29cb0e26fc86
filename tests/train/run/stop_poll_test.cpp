#include "train/run/stop_poll.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "core/stop_request.h"
#include "input/shipped_pack.h"
#include "support/child_process.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class StopPollTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pack_ = new ShippedPack(); }
  static void TearDownTestSuite() {
    delete pack_;
    pack_ = nullptr;
  }

  StopPollTest() { fs::create_directories(context_.folder.checkpoints()); }

  void ask_by_file() const { write_file(context_.folder.stop_file(), ""); }

  static inline const ShippedPack* pack_ = nullptr;
  const TemporaryFolder folder_;
  RunContext context_{.group = {},
                      .folder = RunFolder(folder_ / "run"),
                      .lock = {},
                      .train_data = PackedDataset::open(pack_->path()),
                      .val_data = {},
                      .packed_classes = {},
                      .train_stats = {},
                      .val_stats = {},
                      .plan = {},
                      .warnings = {},
                      .begin = Clock::now()};
};

TEST_F(StopPollTest, ARunThatNobodyStopsGoesOn) {
  StopPoll stop(context_);
  EXPECT_EQ(stop.wish(), 0);
  stop.agree(0);
  EXPECT_FALSE(stop.stopped());
}

TEST_F(StopPollTest, ByTheFile) {
  ask_by_file();
  StopPoll stop(context_);
  const int64_t wish = stop.wish();
  EXPECT_GT(wish, 0);
  EXPECT_FALSE(stop.stopped());  // not before the ranks agree
  stop.agree(wish);
  EXPECT_TRUE(stop.stopped());
  EXPECT_NE(stop.reason().find(context_.folder.stop_file().string()), std::string::npos);
  EXPECT_STREQ(stop.event_reason(), "stop_file");
  stop.remove_file();
  EXPECT_FALSE(fs::exists(context_.folder.stop_file()));
  stop.remove_file();  // it is no error that there is none
}

// It looks once a second.
TEST_F(StopPollTest, ByAFileThatAppearsLater) {
  StopPoll stop(context_);
  EXPECT_EQ(stop.wish(), 0);
  ask_by_file();
  const auto limit = Clock::now() + std::chrono::seconds(30);
  while (stop.wish() == 0 && Clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop.agree(stop.wish());
  EXPECT_TRUE(stop.stopped());
  fs::remove(context_.folder.stop_file());
  EXPECT_GT(stop.wish(), 0);  // a wish is not taken back
}

TEST_F(StopPollTest, AfterItsTime) {
  context_.plan.loop.max_minutes = 1.5;
  {
    StopPoll stop(context_);
    EXPECT_EQ(stop.wish(), 0);
  }
  context_.begin = Clock::now() - std::chrono::seconds(91);
  StopPoll stop(context_);
  stop.agree(stop.wish());
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.reason(), "train.max_minutes = 1.5");
  EXPECT_STREQ(stop.event_reason(), "max_minutes");
  context_.plan.loop.max_minutes = 0;  // no limit
  EXPECT_EQ(StopPoll(context_).wish(), 0);
}

TEST_F(StopPollTest, BySignals) {
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) {
    ChildProcess child([&] {
      take_stop_signals();
      StopPoll stop(context_);
      if (stop.wish() != 0) return 1;
      ::raise(signal);
      stop.agree(stop.wish());
      if (!stop.stopped() || stop.event_reason() != std::string("signal")) return 2;
      return stop.reason() == stop_signal_name(signal) ? 0 : 3;
    });
    EXPECT_EQ(child.wait(), 0) << signal;
  }
}

// The largest wish of the ranks counts.
TEST_F(StopPollTest, ASignalSaysMoreThanAFileThanTheTime) {
  context_.plan.loop.max_minutes = 1;
  context_.begin = Clock::now() - std::chrono::seconds(61);
  const int64_t by_time = StopPoll(context_).wish();
  ask_by_file();
  const int64_t by_file = StopPoll(context_).wish();
  EXPECT_GT(by_file, by_time);
  ChildProcess child([&] {
    take_stop_signals();
    ::raise(SIGUSR1);
    return StopPoll(context_).wish() > by_file ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(StopPollTest, WhatWasAgreedOnFirstIsTheReason) {
  context_.plan.loop.max_minutes = 1;
  context_.begin = Clock::now() - std::chrono::seconds(61);
  StopPoll stop(context_);
  stop.agree(stop.wish());
  ask_by_file();
  stop.agree(StopPoll(context_).wish());
  EXPECT_STREQ(stop.event_reason(), "max_minutes");
}

}  // namespace
}  // namespace dfine
