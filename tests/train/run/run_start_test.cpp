// What --resume means.
#include "train/run/run_start.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "config/load.h"
#include "rank_main.h"
#include "support/files.h"
#include "support/raises.h"
#include "train/checkpoint/checkpoint_store.h"
#include "train/checkpoint/old_checkpoint.h"
#include "train/checkpoint/small_checkpoint.h"
#include "weights/checkpoint_link.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

class RunStartTest : public testing::Test {
 protected:
  static bool is_root() { return test::group().rank() == 0; }
  static bool alone() { return test::group().size() == 1; }

  RunStart start(const std::string& resume) const {
    Config config;
    config.run.dir = run_;
    config.run.resume = resume;
    config.run.lock_seconds = 20;  // a second job sees within two that the first one lives
    return start_run(config, test::group());
  }
  /// Of a start that fails on rank zero alone.
  Caught problem(const std::string& resume) const {
    return catch_error([&] { start(resume); });
  }
  void save(const CheckpointName& name) const {
    if (is_root()) save_checkpoint(store_.path(name), small_checkpoint(name.step));
  }
  void damage(const CheckpointName& name) const {
    if (is_root()) fs::resize_file(store_.path(name) / "state.pth", 1000);
  }
  /// As version 0.1 wrote them, of a batch of 4.
  void save_old(const fs::path& folder, int64_t step) const {
    if (!is_root()) return;
    Config config;
    config.data.train = config.data.val = "unused";
    config.data.batch_size = 4;
    save_old_checkpoint(folder, small_checkpoint(step),
                        {.step = step, .epoch_step = step, .config = print_config(config)});
  }

  const TemporaryFolder folder_;
  // Only rank zero has it.
  const std::string run_ = is_root() ? folder_ / "run" : "/nowhere/run";
  const CheckpointStore store_{RunFolder(run_).checkpoints()};
};

TEST_F(RunStartTest, AutoTakesTheNewest) {
  save({1});
  save({2});
  save({2, CheckpointKind::kValidated});
  save({3, CheckpointKind::kBadSteps});
  const RunStart begun = start("auto");
  EXPECT_TRUE(begun.resumed());
  EXPECT_EQ(begun.from.filename(), "step-00000002-val");
  EXPECT_FALSE(begun.elsewhere);
  // Of the model, on all ranks.
  EXPECT_EQ(begun.num_queries, 300);
  EXPECT_EQ(begun.classes.names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(begun.classes.ids, (std::vector<int64_t>{4, 5, 6}));
  EXPECT_NE(begun.classes.owner.find("step-00000002-val"), std::string::npos);
  EXPECT_EQ(begun.checkpoint.has_value(), is_root());
  EXPECT_EQ(begun.lock != nullptr, is_root());
  if (begun.checkpoint) {
    EXPECT_EQ(begun.checkpoint->run.step, 2);
  }
}

TEST_F(RunStartTest, AutoTakesAnEarlierOneWhereTheNewestIsDamaged) {
  for (const int64_t step : {1, 2, 3}) save({step});
  damage({3});
  if (is_root()) fs::remove(store_.path({2}) / "manifest.json");
  EXPECT_EQ(start("auto").from.filename(), "step-00000001");
}

TEST_F(RunStartTest, AutoBeginsAnewInANewFolder) {
  const RunStart begun = start("auto");
  EXPECT_FALSE(begun.resumed());
  EXPECT_FALSE(begun.checkpoint);
  EXPECT_EQ(begun.num_queries, std::nullopt);
  EXPECT_EQ(begun.lock != nullptr, is_root());
}

// It must not throw away what a run has done.
TEST_F(RunStartTest, AutoDoesNotBeginAnewWhereAllAreDamaged) {
  if (!alone()) GTEST_SKIP() << "rank zero's matter";
  save({1});
  save({2});
  damage({1});
  damage({2});
  EXPECT_TRUE(problem("auto").is(kCheckpointMismatch, "step-00000002, step-00000001",
                                 store_.folder().string(), "--resume none"));
  // Or gone.
  fs::remove_all(store_.folder());
  write_file(RunFolder(run_).metrics(), "{\"type\":\"event\",\"event\":\"saved\"}\n");
  EXPECT_TRUE(problem("auto").is(kCheckpointMismatch, store_.folder().string()));
}

TEST_F(RunStartTest, NoneReadsNothing) {
  save({1});
  damage({1});
  const RunStart begun = start("none");
  EXPECT_FALSE(begun.resumed());
  EXPECT_EQ(begun.lock != nullptr, is_root());
}

TEST_F(RunStartTest, APathMayBeAnEarlierOneOrALink) {
  for (const int64_t step : {1, 2, 3}) save({step});
  if (is_root()) {
    store_.link("best", {2});
    write_file(store_.link_path("last"), "step-00000003\n");
  }
  for (const auto& [path, expected] : {std::pair{store_.path({1}), "step-00000001"},
                                       std::pair{store_.link_path("best"), "step-00000002"},
                                       std::pair{store_.link_path("last"), "step-00000003"}}) {
    const RunStart begun = start(path.string());
    EXPECT_EQ(begun.from.filename(), expected);
    EXPECT_FALSE(begun.elsewhere);
  }
}

TEST_F(RunStartTest, APathElsewhere) {
  const fs::path other = folder_ / "other/checkpoints/step-00000007";
  if (is_root()) save_checkpoint(other, small_checkpoint(7));
  save({1});
  const RunStart begun = start(other.string());
  EXPECT_EQ(begun.from.filename(), "step-00000007");
  EXPECT_TRUE(begun.elsewhere);
}

TEST_F(RunStartTest, APathThatIsNoCheckpointIsNamed) {
  if (!alone()) GTEST_SKIP() << "rank zero's matter";
  save({1});
  store_.link("last", {1});
  const std::string step = store_.path({1}).string();
  EXPECT_TRUE(problem(folder_ / "none").is(kFileMissing, folder_ / "none"));
  EXPECT_TRUE(problem(run_).is(kFormatInvalid, run_, store_.link_path("last").string()));
  EXPECT_TRUE(
      problem(store_.folder().string()).is(kFormatInvalid, store_.link_path("last").string()));
  EXPECT_TRUE(problem(step + "/state.pth").is(kFormatInvalid, step + "/state.pth", step));
  damage({1});
  EXPECT_TRUE(problem(step).is(kFileDamaged, step + "/state.pth"));
  fs::remove(step + "/state.pth");
  EXPECT_TRUE(problem(step).is(kFileMissing, "state.pth", "model.weights"));
}

TEST_F(RunStartTest, OneJobAtATime) {
  if (!alone()) GTEST_SKIP() << "rank zero's matter";
  save({1});
  const RunStart first = start("auto");
  EXPECT_TRUE(problem("auto").is(kRunFolderBusy, run_));
}

TEST_F(RunStartTest, FoldersOfVersion01AreAdopted) {
  save_old(store_.link_path("last"), 3);
  const RunStart begun = start("auto");
  EXPECT_EQ(begun.from.filename(), "step-00000003");
  if (!is_root()) return;
  EXPECT_EQ(read_checkpoint_link(store_.link_path("last")), "step-00000003");
  EXPECT_EQ(begun.checkpoint->run.global_batch, 4);
  EXPECT_EQ(begun.checkpoint->run.epoch_samples, 12);
}

TEST_F(RunStartTest, APathToAFolderOfVersion01) {
  save_old(store_.link_path("last"), 3);
  {
    const RunStart begun = start(store_.link_path("last").string());
    EXPECT_EQ(begun.from.filename(), "step-00000003");
    EXPECT_FALSE(begun.elsewhere);
  }
  // Elsewhere it stays as it is.
  const fs::path other = folder_ / "other/checkpoints/last";
  save_old(other, 5);
  save_old(other.parent_path() / "best_stage1", 2);
  const RunStart begun = start(other.string());
  EXPECT_EQ(begun.from.filename(), "last");
  EXPECT_TRUE(begun.elsewhere);
  if (!is_root()) return;
  EXPECT_EQ(begun.checkpoint->run.epoch_samples, 20);
  EXPECT_EQ(begun.checkpoint->run.best_stage1, 2);
  EXPECT_FALSE(fs::exists(other / "manifest.json"));
}

TEST_F(RunStartTest, WhatKilledProgramsLeftIsRemoved) {
  save({1});
  const fs::path leftover = store_.folder() / ".step-00000002.partial-somewhere-7-0";
  if (is_root()) fs::create_directory(leftover);
  start("auto");
  EXPECT_FALSE(fs::exists(leftover));
}

}  // namespace
}  // namespace dfine
