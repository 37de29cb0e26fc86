#include "train/checkpoint/checkpoint_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/file_size_limit.h"
#include "support/files.h"
#include "support/raises.h"
#include "train/checkpoint/small_checkpoint.h"
#include "weights/checkpoint_link.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;
using enum CheckpointKind;
using Names = std::vector<std::string>;

std::shared_ptr<Checkpoint> at_step(int64_t step) {
  return std::make_shared<Checkpoint>(small_checkpoint(step));
}

ino_t inode(const fs::path& file) {
  struct stat status{};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return status.st_ino;
}

class CheckpointWriterTest : public testing::Test {
 protected:
  /// Names in the folder, sorted.
  Names content() const {
    Names names;
    for (const auto& entry : fs::directory_iterator(store_.folder()))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  std::string linked(const char* link) const {
    return read_checkpoint_link(store_.link_path(link));
  }

  const TemporaryFolder parent_;
  const CheckpointStore store_{parent_ / "checkpoints"};
};

TEST_F(CheckpointWriterTest, WritesAndLinks) {
  CheckpointWriter writer(store_, {});
  EXPECT_TRUE(writer.take_written().empty());
  auto checkpoint = at_step(5);
  checkpoint->run.epoch = 3;  // at its end: the last step was of 2
  writer.write(checkpoint, kStep, {"last", "mine"});
  writer.wait();
  const auto written = writer.take_written();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_FALSE(written[0].failure);
  EXPECT_EQ(written[0].name, (CheckpointName{5, kStep}));
  EXPECT_EQ(written[0].epoch, 2);
  EXPECT_EQ(written[0].links, (Names{"last", "mine"}));
  EXPECT_GT(written[0].seconds, 0);
  EXPECT_TRUE(writer.take_written().empty());  // it was returned
  EXPECT_EQ(content(), (Names{"last", "mine", "step-00000005"}));
  EXPECT_EQ(linked("last"), "step-00000005");
  EXPECT_EQ(load_checkpoint(store_.link_path("last")).run.step, 5);
}

TEST_F(CheckpointWriterTest, OfAValidatedOneOnlyTheNewFilesAreWritten) {
  CheckpointWriter writer(store_, {});
  auto checkpoint = at_step(5);
  writer.write(checkpoint, kStep, {"last"});
  writer.wait();
  const fs::path plain = store_.path({5, kStep}), validated = store_.path({5, kValidated});
  const ino_t state = inode(plain / "state.pth"), model = inode(plain / "model.safetensors"),
              metrics = inode(plain / "metrics.json");
  checkpoint = std::make_shared<Checkpoint>(*checkpoint);
  checkpoint->run.validations = {{WeightsKind::kEma, 0, 5, {{"ap", 0.5}}}};
  checkpoint->run.best = RunState::Best{.value = 0.5, .step = 5};
  writer.write(checkpoint, kValidated, {"best", "last"});
  writer.wait();
  EXPECT_EQ(content(), (Names{"best", "last", "step-00000005-val"}));
  EXPECT_EQ(linked("best"), "step-00000005-val");
  EXPECT_EQ(linked("last"), "step-00000005-val");
  EXPECT_EQ(inode(validated / "state.pth"), state);
  EXPECT_EQ(inode(validated / "model.safetensors"), model);
  EXPECT_NE(inode(validated / "metrics.json"), metrics);
  EXPECT_EQ(load_checkpoint(validated).run.validations.size(), 1U);
}

TEST_F(CheckpointWriterTest, TheBestStays) {
  CheckpointWriter writer(store_, {.keep = 1});
  for (int64_t step = 1; step <= 5; ++step) {
    auto checkpoint = at_step(step);
    checkpoint->run.best = RunState::Best{.value = 0.5, .step = step < 4 ? step : 3};
    checkpoint->run.best_stage1 = 2;
    writer.write(checkpoint, step <= 3 ? kValidated : kStep, {"last"});
  }
  writer.wait();
  EXPECT_EQ(writer.take_written().size(), 5U);
  EXPECT_EQ(content(), (Names{"last", "step-00000002-val", "step-00000003-val", "step-00000005"}));
}

TEST_F(CheckpointWriterTest, WaitsForThePreviousOneOnly) {
  std::promise<void> entered, released;
  std::shared_future<void> release = released.get_future();
  bool first = true;
  CheckpointWriter writer(store_, {.require_held = [&, release] {
                            if (!std::exchange(first, false)) return;
                            entered.set_value();
                            release.wait();
                          }});
  writer.write(at_step(1), kStep, {"last"});  // returns while it is under way
  ASSERT_EQ(entered.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(writer.take_written().empty());  // does not wait either
  EXPECT_FALSE(fs::exists(store_.path({1, kStep})));
  std::future<void> second =
      std::async(std::launch::async, [&] { writer.write(at_step(2), kStep, {"last"}); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  released.set_value();
  second.get();
  EXPECT_TRUE(fs::exists(store_.path({1, kStep})));
  writer.wait();
  const auto written = writer.take_written();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].name.step, 1);
  EXPECT_EQ(written[1].name.step, 2);
  EXPECT_EQ(linked("last"), "step-00000002");
}

TEST_F(CheckpointWriterTest, ItsEndWaitsToo) {
  CheckpointWriter(store_, {}).write(at_step(1), kStep, {"last"});
  EXPECT_EQ(load_checkpoint(store_.link_path("last")).run.step, 1);
}

TEST_F(CheckpointWriterTest, AFailureIsReturnedAndTheEarlierOneStays) {
  CheckpointWriter writer(store_, {.keep = 1});
  writer.write(at_step(1), kStep, {"last"});
  writer.wait();
  {
    const FileSizeLimit full(1000);
    writer.write(at_step(2), kStep, {"last"});
    writer.wait();
  }
  auto written = writer.take_written();
  ASSERT_EQ(written.size(), 2U);
  ASSERT_TRUE(written[1].failure);
  EXPECT_EQ(written[1].failure->code(), kWriteFailed);
  EXPECT_TRUE(names(written[1].failure->what(), {"step-00000002", "free", "MiB"}));  // the room
  EXPECT_TRUE(written[1].links.empty());
  EXPECT_EQ(content(), (Names{"last", "step-00000001"}));
  EXPECT_EQ(load_checkpoint(store_.link_path("last")).run.step, 1);
  // And the next one succeeds.
  writer.write(at_step(3), kStep, {"last"});
  writer.wait();
  written = writer.take_written();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_FALSE(written[0].failure);
  EXPECT_EQ(content(), (Names{"last", "step-00000003"}));
}

TEST_F(CheckpointWriterTest, AFolderOfThatNameIsNotReplaced) {
  CheckpointWriter writer(store_, {});
  save_checkpoint(store_.path({1, kStep}), small_checkpoint(1));
  const ino_t before = inode(store_.path({1, kStep}) / "state.pth");
  writer.write(at_step(1), kStep, {"last"});
  writer.wait();
  const auto written = writer.take_written();
  ASSERT_EQ(written.size(), 1U);
  ASSERT_TRUE(written[0].failure);
  EXPECT_EQ(written[0].failure->code(), kFileChanged);
  EXPECT_EQ(inode(store_.path({1, kStep}) / "state.pth"), before);
  EXPECT_EQ(linked("last"), "");
}

// Another job has taken the run folder: nothing may change there any more.
TEST_F(CheckpointWriterTest, WithoutTheLockNothingBecomesVisible) {
  bool held = true;
  CheckpointWriter writer(store_, {.keep = 1, .require_held = [&] {
                                     if (!held) throw Error(kRunFolderBusy, "taken");
                                   }});
  writer.write(at_step(1), kStep, {"last"});
  writer.wait();
  held = false;
  writer.write(at_step(2), kStep, {"last"});
  writer.wait();
  const auto written = writer.take_written();
  ASSERT_EQ(written.size(), 2U);
  ASSERT_TRUE(written[1].failure);
  EXPECT_EQ(written[1].failure->code(), kRunFolderBusy);
  EXPECT_EQ(content(), (Names{"last", "step-00000001"}));
  EXPECT_EQ(linked("last"), "step-00000001");
}

}  // namespace
}  // namespace dfine
