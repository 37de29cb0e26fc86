#include "train/checkpoint/checkpoint_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "support/files.h"
#include "support/raises.h"
#include "train/checkpoint/old_checkpoint.h"
#include "train/checkpoint/run_state_json.h"
#include "train/checkpoint/small_checkpoint.h"
#include "weights/checkpoint_link.h"
#include "weights/folder_manifest.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;
using enum CheckpointKind;

TEST(CheckpointName, AsText) {
  EXPECT_EQ((CheckpointName{.step = 0}).text(), "step-00000000");
  EXPECT_EQ((CheckpointName{120, kStep}).text(), "step-00000120");
  EXPECT_EQ((CheckpointName{120, kValidated}).text(), "step-00000120-val");
  EXPECT_EQ((CheckpointName{120, kBadSteps}).text(), "step-00000120-bad");
  EXPECT_EQ((CheckpointName{1234567890123, kStep}).text(), "step-1234567890123");
}

TEST(CheckpointName, BackFromItsText) {
  for (const int64_t step : {int64_t{0}, int64_t{120}, int64_t{99'999'999}, int64_t{100'000'000},
                             std::numeric_limits<int64_t>::max()}) {
    for (const CheckpointKind kind : {kStep, kValidated, kBadSteps}) {
      const CheckpointName name{step, kind};
      EXPECT_EQ(CheckpointName::parse(name.text()), name) << name.text();
    }
  }
}

TEST(CheckpointName, OtherNamesAreForeign) {
  for (const char* text : {"",
                           "step-",
                           "step-120",
                           "step-000000120",
                           "step-00000120-",
                           "step-00000120-VAL",
                           "step-00000120-val-val",
                           "step-00000120-val2",
                           "step-00000120 ",
                           " step-00000120",
                           "step-0000012x",
                           "step-+0000120",
                           "step--0000120",
                           "step-0x000120",
                           "Step-00000120",
                           ".step-00000120",
                           ".step-00000120.partial-removed",
                           "last",
                           "best",
                           "set-aside-1",
                           "step-9223372036854775808"})  // one more than an int64_t holds
    EXPECT_EQ(CheckpointName::parse(text), std::nullopt) << text;
}

TEST(CheckpointName, LaterOnesAreGreater) {
  EXPECT_LT((CheckpointName{9, kValidated}), (CheckpointName{10, kStep}));
  EXPECT_LT((CheckpointName{10, kStep}), (CheckpointName{10, kValidated}));
  // Longer numbers too, which sort otherwise as text.
  EXPECT_LT((CheckpointName{99'999'999, kStep}), (CheckpointName{100'000'000, kStep}));
}

class CheckpointStoreTest : public testing::Test {
 protected:
  /// A folder whose content does not matter.
  void make(const CheckpointName& name) const {
    fs::create_directories(store_.path(name));
    write_file(store_.path(name) / "file", name.text());
  }
  void save(const CheckpointName& name, int64_t epoch, int64_t epoch_samples) const {
    Checkpoint checkpoint = small_checkpoint(name.step);
    checkpoint.run.epoch = epoch;
    checkpoint.run.epoch_samples = epoch_samples;
    save_checkpoint(store_.path(name), checkpoint);
  }
  /// Names in the folder, sorted.
  std::vector<std::string> content() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(store_.folder()))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  using Names = std::vector<std::string>;

  const TemporaryFolder parent_;
  const CheckpointStore store_{parent_ / "checkpoints"};
};

TEST_F(CheckpointStoreTest, ListsWhatARunCanContinueFromNewestFirst) {
  EXPECT_TRUE(store_.list().empty());  // there is no folder
  for (const CheckpointName& name :
       {CheckpointName{9, kStep}, CheckpointName{100'000'000, kStep},
        CheckpointName{10, kValidated}, CheckpointName{10, kStep}, CheckpointName{11, kBadSteps}})
    make(name);
  fs::create_directory(store_.folder() / "set-aside-1");
  fs::create_directory(store_.folder() / ".step-00000012.partial-x-1");
  write_file(store_.folder() / "step-00000013", "a file");
  store_.link("last", {10, kValidated});
  EXPECT_EQ(store_.list(), (std::vector<CheckpointName>{
                               {100'000'000, kStep}, {10, kValidated}, {10, kStep}, {9, kStep}}));
  EXPECT_EQ(store_.of_step(10), (CheckpointName{10, kValidated}));
  EXPECT_EQ(store_.of_step(9), (CheckpointName{9, kStep}));
  EXPECT_EQ(store_.of_step(11), std::nullopt);
  EXPECT_EQ(store_.of_step(12), std::nullopt);
}

TEST_F(CheckpointStoreTest, LinksAreReplacedAndRemoved) {
  make({1, kStep});
  make({2, kValidated});
  store_.link("last", {1, kStep});
  EXPECT_EQ(read_file(store_.link_path("last") / "file"), "step-00000001");
  store_.link("last", {2, kValidated});
  EXPECT_EQ(read_file(store_.link_path("last") / "file"), "step-00000002-val");
  EXPECT_EQ(read_checkpoint_link(store_.link_path("last")), "step-00000002-val");
  EXPECT_EQ(content(), (Names{"last", "step-00000001", "step-00000002-val"}));
  store_.unlink("last");
  store_.unlink("last");  // no more
  EXPECT_EQ(content(), (Names{"step-00000001", "step-00000002-val"}));
  // A folder is none; it stays.
  fs::create_directory(store_.link_path("best"));
  store_.unlink("best");
  EXPECT_TRUE(fs::is_directory(store_.link_path("best")));
  EXPECT_TRUE(raises(
      kFileExists, [&] { store_.link("best", {1, kStep}); }, store_.link_path("best").string()));
}

TEST_F(CheckpointStoreTest, NewerOnesAndThoseOfBadStepsAreSetAside) {
  for (const CheckpointName& name :
       {CheckpointName{1, kBadSteps}, CheckpointName{2, kStep}, CheckpointName{3, kStep},
        CheckpointName{3, kValidated}, CheckpointName{4, kStep}})
    make(name);
  EXPECT_EQ(store_.set_aside({3, kStep}), store_.folder() / "set-aside-1");
  EXPECT_EQ(content(), (Names{"set-aside-1", "step-00000002", "step-00000003"}));
  for (const char* name : {"step-00000001-bad", "step-00000003-val", "step-00000004"})
    EXPECT_EQ(read_file(store_.folder() / "set-aside-1" / name / "file"), name);
  EXPECT_EQ(store_.set_aside({3, kStep}), fs::path());  // nothing is left to do
  EXPECT_EQ(content(), (Names{"set-aside-1", "step-00000002", "step-00000003"}));
  make({4, kStep});
  EXPECT_EQ(store_.set_aside({3, kStep}), store_.folder() / "set-aside-2");
}

TEST_F(CheckpointStoreTest, OfTheSameStepTheValidatedOneKeepsThePlainOne) {
  make({3, kStep});
  make({3, kValidated});
  EXPECT_EQ(store_.set_aside({3, kValidated}), fs::path());
}

TEST_F(CheckpointStoreTest, PruneKeepsTheNewestSteps) {
  for (const CheckpointName& name :
       {CheckpointName{1, kStep}, CheckpointName{2, kValidated}, CheckpointName{3, kStep},
        CheckpointName{3, kValidated}, CheckpointName{4, kStep}})
    make(name);
  store_.prune({.newest = 2});
  EXPECT_EQ(content(), (Names{"step-00000003-val", "step-00000004"}));
  store_.prune({.newest = 2});
  EXPECT_EQ(content(), (Names{"step-00000003-val", "step-00000004"}));
  store_.prune({.newest = 1});
  EXPECT_EQ(content(), Names{"step-00000004"});
}

TEST_F(CheckpointStoreTest, PruneKeepsTheBestOnes) {
  for (int64_t step = 1; step <= 6; ++step) make({step, step == 2 ? kValidated : kStep});
  store_.link("last", {6, kStep});
  store_.prune({.newest = 1, .also_steps = {2, 4}});
  EXPECT_EQ(content(), (Names{"last", "step-00000002-val", "step-00000004", "step-00000006"}));
}

TEST_F(CheckpointStoreTest, PruneKeepsEveryNthEpoch) {
  save({10, kValidated}, /*epoch=*/1, 0);
  save({20, kValidated}, 2, 0);
  save({25, kStep}, 2, 4);  // amid the third
  save({30, kValidated}, 3, 0);
  save({40, kStep}, 4, 0);
  save({40, kValidated}, 4, 0);
  save({50, kStep}, 5, 0);
  make({15, kStep});  // damaged: it has no manifest
  save({16, kStep}, 1, 3);
  write_file(store_.path({16, kStep}) / kManifestFile, "{");  // nobody can tell what it is
  store_.prune({.newest = 1, .every_epochs = 2});
  EXPECT_EQ(content(),
            (Names{"step-00000016", "step-00000020-val", "step-00000040-val", "step-00000050"}));
}

// For a look at what went wrong; they do not count among the newest.
TEST_F(CheckpointStoreTest, PruneKeepsTheNewestOfBadSteps) {
  for (const CheckpointName& name : {CheckpointName{1, kStep}, CheckpointName{2, kStep},
                                     CheckpointName{3, kBadSteps}, CheckpointName{4, kBadSteps}})
    make(name);
  store_.prune({.newest = 2});
  EXPECT_EQ(content(), (Names{"step-00000001", "step-00000002", "step-00000004-bad"}));
}

TEST_F(CheckpointStoreTest, PruneTouchesNothingElse) {
  make({1, kStep});
  make({2, kStep});
  for (const char* name : {"set-aside-1", "mine", "step-1", "last"})
    fs::create_directory(store_.folder() / name);
  write_file(store_.folder() / "step-00000000", "a file");
  // Of an earlier prune() that was killed.
  fs::create_directory(store_.folder() / ".step-00000001.partial-removed");
  write_file(store_.folder() / ".step-00000001.partial-removed/file", "half");
  store_.prune({.newest = 1});
  EXPECT_EQ(content(),
            (Names{"last", "mine", "set-aside-1", "step-00000000", "step-00000002", "step-1"}));
}

class OldFoldersTest : public CheckpointStoreTest {
 protected:
  void save_old(const char* name, int64_t step) const {
    save_old_checkpoint(
        store_.link_path(name), small_checkpoint(step),
        {.step = step, .epoch_step = step, .best = RunState::Best{.value = 1, .step = 6}});
  }
  std::vector<std::string> adopt() const {
    return store_.adopt_old_folders([](RunState& state) {
      if (state.global_batch > 0) return;
      state.global_batch = 4;
      state.epoch_samples *= 4;
    });
  }
  int64_t step_at(const char* link) const {
    return load_checkpoint(store_.link_path(link)).run.step;
  }
};

TEST_F(OldFoldersTest, BecomeNumberedOnes) {
  save_old("last", 9);
  save_old("best", 6);
  save_old("best_stage1", 3);
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(), (Names{"best", "best_stage1", "last", "step-00000003-val",
                              "step-00000006-val", "step-00000009"}));
  EXPECT_EQ(step_at("last"), 9);
  EXPECT_EQ(step_at("best"), 6);
  EXPECT_EQ(step_at("best_stage1"), 3);
  const RunState state = load_checkpoint(store_.path({9, kStep})).run;
  EXPECT_EQ(state.global_batch, 4);
  EXPECT_EQ(state.epoch_samples, 36);
  EXPECT_EQ(state.best->step, 6);
  EXPECT_EQ(state.best_stage1, 3);
  EXPECT_TRUE(read_folder_manifest(store_.path({6, kValidated})));
  // A second start finds nothing to do.
  const auto before = content();
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(), before);
}

TEST_F(OldFoldersTest, WithoutABest) {
  save_old("last", 9);
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(), (Names{"last", "step-00000009"}));
  EXPECT_EQ(load_checkpoint(store_.path({9, kStep})).run.best_stage1, std::nullopt);
}

// Stage 2 has just begun, or has brought no better one.
TEST_F(OldFoldersTest, TheBestOfStage1MayBeTheBest) {
  save_old("last", 9);
  save_old("best", 6);
  fs::create_directory(store_.link_path("best_stage1"));
  for (const auto& entry : fs::directory_iterator(store_.link_path("best")))
    fs::create_hard_link(entry, store_.link_path("best_stage1") / entry.path().filename());
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(),
            (Names{"best", "best_stage1", "last", "step-00000006-val", "step-00000009"}));
  EXPECT_EQ(step_at("best"), 6);
  EXPECT_EQ(step_at("best_stage1"), 6);
  EXPECT_EQ(load_checkpoint(store_.path({9, kStep})).run.best_stage1, 6);
}

TEST_F(OldFoldersTest, DamagedOnesAreSetAside) {
  save_old("last", 9);
  save_old("best", 6);
  const fs::path state = store_.link_path("best") / "state.pth";
  fs::resize_file(state, fs::file_size(state) / 2);
  const auto damaged = adopt();
  ASSERT_EQ(damaged.size(), 1U);
  EXPECT_TRUE(names(damaged[0], state.string()));
  EXPECT_EQ(content(), (Names{"last", "set-aside-1", "step-00000009"}));
  EXPECT_TRUE(fs::exists(store_.folder() / "set-aside-1/best/state.pth"));
  EXPECT_EQ(step_at("last"), 9);
}

TEST_F(OldFoldersTest, AnInterruptedStartIsContinued) {
  save_old("last", 9);
  save_old("best", 6);
  save_old("best_stage1", 3);
  // As far as the manifests.
  for (const char* name : {"best_stage1", "best", "last"}) {
    Checkpoint checkpoint = load_checkpoint(store_.link_path(name));
    checkpoint.run.global_batch = 4;
    checkpoint.run.epoch_samples *= 4;
    if (checkpoint.run.step != 3) checkpoint.run.best_stage1 = 3;
    write_folder_manifest(store_.link_path(name), run_state_json(checkpoint.run));
  }
  // And the first rename.
  fs::rename(store_.link_path("best_stage1"), store_.path({3, kValidated}));
  store_.link("best_stage1", {3, kValidated});
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(), (Names{"best", "best_stage1", "last", "step-00000003-val",
                              "step-00000006-val", "step-00000009"}));
  const RunState state = load_checkpoint(store_.path({9, kStep})).run;
  EXPECT_EQ(state.epoch_samples, 36);  // not once more
  EXPECT_EQ(state.best_stage1, 3);
  EXPECT_EQ(step_at("best"), 6);
}

TEST_F(OldFoldersTest, LinksAreNoOldFolders) {
  save({9, kStep}, 0, 9);
  store_.link("last", {9, kStep});
  EXPECT_TRUE(adopt().empty());
  EXPECT_EQ(content(), (Names{"last", "step-00000009"}));
  EXPECT_EQ(load_checkpoint(store_.path({9, kStep})).run.epoch_samples, 9);
}

}  // namespace
}  // namespace dfine
