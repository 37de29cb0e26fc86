// What a run reads from checkpoints. Only rank zero sees their folder; the other ranks are given
// one that is not there.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "rank_main.h"
#include "support/python.h"
#include "support/raises.h"
#include "train/checkpoint/busy_run.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/checkpoint_store.h"
#include "train/checkpoint/old_checkpoint.h"
#include "train/plan/resolve.h"
#include "train/plan/saved_run.h"
#include "train/run/import_checkpoint.h"
#include "train/run/run_checkpoint.h"
#include "weights/checkpoint_link.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

const std::vector<Category> kClasses{{1, "a"}, {2, "b"}};
constexpr EpochLayout kShape{.steps_per_epoch = 10, .global_batch = 2};

Config small_config() {
  Config config;
  config.model.num_denoising = 0;
  config.data.batch_size = kShape.global_batch;
  config.ema.decay = 0.9;
  config.data.train = config.data.val = "unused";  // what a saved configuration must name
  return config;
}

RunPlan plan_of(const Config& config, const EpochLayout& layout = kShape,
                const std::vector<Category>& classes = kClasses) {
  RunPlan plan = resolve(config, classes, kShape.steps_per_epoch * kShape.global_batch,
                         /*ranks=*/1, /*cuda=*/false);
  plan.layout = layout;
  return plan;
}

/// A learner with the same weights on all ranks.
struct Fixture {
  explicit Fixture(const Config& given = small_config(),
                   const std::vector<Category>& classes = kClasses)
      : config(given),
        plan(plan_of(given, kShape, classes)),
        learner(build_model(plan.model, false), plan.learner, test::group()) {}

  /// A step with gradients that no data gave; every `leave_out`th parameter gets none.
  void step(double phase, int leave_out = 0) {
    int i = 0;
    for (const ParameterGroup& group : learner.optimizer().groups()) {
      for (const Tensor& p : group.parameters) {
        Tensor(p).mutable_grad() =
            ++i == leave_out
                ? Tensor()
                : at::sin(at::arange(p.numel(), at::kFloat) + phase).reshape(p.sizes());
      }
    }
    learner.optimizer().step();
    learner.ema()->update();
  }

  std::map<std::string, Tensor> snapshot() {
    std::map<std::string, Tensor> all;
    for (const auto& [name, tensor] : named_tensors(learner.model()))
      all["model " + name] = tensor.detach().clone();
    for (const auto& [name, tensor] : learner.ema()->averages())
      all["ema " + name] = tensor.clone();
    for (const auto& [index, moments] : learner.optimizer().state().moments) {
      all["step " + std::to_string(index)] = moments.step.clone();
      all["exp_avg " + std::to_string(index)] = moments.exp_avg.clone();
      all["exp_avg_sq " + std::to_string(index)] = moments.exp_avg_sq.clone();
    }
    return all;
  }

  const Config config;
  RunPlan plan;
  Learner learner;
};

void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
}

/// The state after `step` steps of this plan.
RunState after(int64_t step, const RunPlan& plan) {
  RunState state;
  state.step = step;
  state.epoch = step / plan.layout.steps_per_epoch;
  state.epoch_samples = step % plan.layout.steps_per_epoch * plan.layout.global_batch;
  state.samples = step * plan.layout.global_batch;
  state.global_batch = plan.layout.global_batch;
  state.config = plan.config;
  return state;
}

void save(const fs::path& folder, const Fixture& fixture, const RunState& state) {
  save_checkpoint(folder, snapshot(fixture.learner, fixture.plan, kClasses, state));
}

/// Rank zero's folder; elsewhere a path where nothing is.
struct HiddenFolder {
  TemporaryFolder mine;
  fs::path path() const {
    return test::group().rank() == 0 ? fs::path(mine / "checkpoints/step-00000002")
                                     : fs::path("/nowhere/checkpoints/step-00000002");
  }
  void save(const Fixture& fixture, int64_t step) const {
    if (test::group().rank() == 0) dfine::save(path(), fixture, after(step, fixture.plan));
  }
};

/// As start_run() returns it for the checkpoint `folder`.
RunStart start_from(const fs::path& folder) {
  RunStart start{.begin = {}, .folder = RunFolder("unused"), .from = folder};
  if (test::group().rank() == 0) start.checkpoint = load_checkpoint(folder);
  return start;
}

TEST(ReloadBest, EveryRankGetsWhatRankZeroReads) {
  const HiddenFolder folder;
  Fixture fixture;
  fixture.step(0, /*leave_out=*/3);
  fixture.step(1, /*leave_out=*/3);
  const auto best = fixture.snapshot();
  folder.save(fixture, 2);
  fixture.step(2);  // and now the third has moments too
  fixture.step(3);
  fixture.learner.ema()->restart(0.5);
  ASSERT_NE(fixture.snapshot().size(), best.size());
  EXPECT_TRUE(reload_best(folder.path(), fixture.learner, test::group()));
  expect_same(fixture.snapshot(), best);
  EXPECT_EQ(fixture.learner.ema()->updates(), 2);
  EXPECT_EQ(fixture.learner.ema()->restarted_decay(), 0.5);  // of the stage, not of the checkpoint

  // Training goes on from there as it did the first time.
  Fixture first;
  for (const double phase : {0, 1}) first.step(phase, 3);
  first.learner.ema()->restart(0.5);
  first.step(7);
  fixture.step(7);
  expect_same(fixture.snapshot(), first.snapshot());
}

TEST(ReloadBest, WithoutAUsableOneEveryRankKeepsItsWeights) {
  const HiddenFolder folder;
  Fixture fixture;
  fixture.step(0);
  const auto before = fixture.snapshot();
  EXPECT_FALSE(reload_best(folder.path(), fixture.learner, test::group()));  // none
  EXPECT_FALSE(reload_best({}, fixture.learner, test::group()));
  expect_same(fixture.snapshot(), before);

  folder.save(fixture, 1);
  fixture.step(1);
  const auto later = fixture.snapshot();
  if (test::group().rank() == 0) fs::resize_file(folder.path() / "state.pth", 1000);
  EXPECT_FALSE(reload_best(folder.path(), fixture.learner, test::group()));  // damaged
  expect_same(fixture.snapshot(), later);
}

TEST(ReloadBest, OfAnotherModelIsNotUsable) {
  const HiddenFolder folder;
  {
    Config config = small_config();
    config.model.freeze_backbone = config.model.allow_random_frozen = true;
    Fixture other(config);
    other.step(0);
    folder.save(other, 1);
  }
  Fixture fixture;
  fixture.step(1);
  const auto before = fixture.snapshot();
  EXPECT_FALSE(reload_best(folder.path(), fixture.learner, test::group()));
  expect_same(fixture.snapshot(), before);
}

TEST(RestoreRun, EveryRankContinuesFromWhatRankZeroReads) {
  const HiddenFolder folder;
  Config config = small_config();
  config.run.precision = Precision::kFp16;
  Fixture fixture(config);
  fixture.step(0, /*leave_out=*/3);
  fixture.learner.ema()->restart(0.7);
  fixture.learner.scaler()->load({.scale = 256, .good_steps = 12});
  RunState state = busy_run(5);
  state.config = fixture.plan.config;
  state.validations = {{WeightsKind::kRaw, 0, 5, {{"ap", 0.5}}}};
  if (test::group().rank() == 0) save(folder.path(), fixture, state);
  Fixture resumed(config);
  RunStart start = start_from(folder.path());
  const RunState back = restore_run(start, resumed.learner, resumed.plan, test::group());
  expect_same(back, state);
  EXPECT_FALSE(start.checkpoint);  // its memory is free again
  EXPECT_EQ(resumed.learner.ema()->restarted_decay(), 0.7);
  EXPECT_EQ(resumed.learner.ema()->updates(), 1);
  EXPECT_EQ(resumed.learner.scaler()->scale(), 256);
  EXPECT_EQ(resumed.learner.scaler()->state().good_steps, 12);
  expect_same(resumed.snapshot(), fixture.snapshot());
  if (test::group().rank() != 0) return;
  ASSERT_EQ(back.validations.size(), 1U);
  EXPECT_EQ(back.validations[0].metrics, state.validations[0].metrics);
}

TEST(RestoreRun, ASnapshotIsNotChangedByLaterSteps) {
  Fixture fixture;
  fixture.step(0);
  const auto before = fixture.snapshot();
  const Checkpoint taken =
      snapshot(fixture.learner, fixture.plan, kClasses, after(1, fixture.plan));
  fixture.step(1);
  for (const auto& [name, tensor] : taken.learner.model)
    EXPECT_TRUE(at::equal(tensor, before.at("model " + name))) << name;
  for (const auto& [name, tensor] : taken.learner.ema->tensors)
    EXPECT_TRUE(at::equal(tensor, before.at("ema " + name))) << name;
  EXPECT_EQ(taken.description.class_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(taken.description.category_ids, (std::vector<int64_t>{1, 2}));
}

// Samples are counted, not steps: the epoch goes on where it was.
TEST(RestoreRun, AnotherGlobalBatchIsNoHindrance) {
  const HiddenFolder folder;
  Fixture fixture;
  fixture.step(0);
  folder.save(fixture, 13);
  Fixture resumed;
  resumed.plan.layout = {.steps_per_epoch = 5, .global_batch = 4};
  RunStart start = start_from(folder.path());
  const RunState back = restore_run(start, resumed.learner, resumed.plan, test::group());
  EXPECT_EQ(back.step, 13);
  EXPECT_EQ(back.epoch, 1);
  EXPECT_EQ(back.epoch_samples, 6);
  EXPECT_EQ(back.samples, 26);
  expect_same(resumed.snapshot(), fixture.snapshot());
}

TEST(RestoreRun, OfAnotherLearnerIsRefused) {
  if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  const HiddenFolder folder;
  Fixture fixture;
  fixture.step(0);
  folder.save(fixture, 1);
  Config config = small_config();
  config.model.freeze_backbone = config.model.allow_random_frozen = true;
  Fixture other(config);
  const auto before = other.snapshot();
  RunStart start = start_from(folder.path());
  EXPECT_TRUE(raises(
      kCheckpointMismatch, [&] { restore_run(start, other.learner, other.plan, test::group()); },
      folder.path().string()));
  expect_same(other.snapshot(), before);
}

/// A run folder's checkpoints, for rank zero.
class ImportTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  }

  CheckpointStore store_of(const std::string& run) const {
    return CheckpointStore(RunFolder(parent_ / run).checkpoints());
  }
  /// After `step` steps, with the best of step 6 and that of stage 1 of step 3.
  RunState state_of(int64_t step) const {
    RunState state = after(step, fixture_.plan);
    state.best = RunState::Best{.value = 1, .epoch = 0, .step = 6};
    state.best_stage1 = 3;
    return state;
  }
  void save(const CheckpointStore& store, const CheckpointName& name) const {
    dfine::save(store.path(name), fixture_, state_of(name.step));
  }
  /// A folder of version 0.1.
  void save_old(const std::string& run, const std::string& name, int64_t step) const {
    save_old_checkpoint(
        RunFolder(parent_ / run).checkpoint(name),
        snapshot(fixture_.learner, fixture_.plan, kClasses, after(step, fixture_.plan)),
        {.step = step,
         .epoch_step = step,
         .best = state_of(step).best,
         .config = fixture_.plan.config});
  }
  static int64_t step_at(const CheckpointStore& store, const char* link) {
    return load_checkpoint(store.link_path(link)).run.step;
  }

  static constexpr CheckpointName kLast{9}, kBest{6, CheckpointKind::kValidated},
      kStage1{3, CheckpointKind::kValidated};
  const TemporaryFolder parent_;
  Fixture fixture_;
};

TEST_F(ImportTest, TheBestOnesComeAlong) {
  const CheckpointStore from = store_of("old"), to = store_of("new");
  save(from, {1});
  save(from, kStage1);
  save(from, kBest);
  save(from, kLast);
  import_checkpoint(from.path(kLast), state_of(9), to);
  EXPECT_EQ(to.list(), (std::vector{kLast, kBest, kStage1}));
  for (const CheckpointName& name : to.list()) {
    EXPECT_EQ(load_checkpoint(to.path(name)).run.step, name.step);
    EXPECT_EQ(fs::hard_link_count(to.path(name) / "state.pth"), 2U);  // one copy on disk
  }
  EXPECT_EQ(step_at(to, "best"), 6);
  EXPECT_EQ(step_at(to, "best_stage1"), 3);
  EXPECT_EQ(from.list().size(), 4U);
}

TEST_F(ImportTest, AMissingBestIsNotInvented) {
  const CheckpointStore from = store_of("old"), to = store_of("new");
  save(from, {5});
  save(from, kLast);
  import_checkpoint(from.path(kLast), state_of(9), to);
  EXPECT_EQ(to.list(), std::vector{kLast});
  for (const char* link : {"best", "best_stage1"})
    EXPECT_FALSE(fs::exists(fs::symlink_status(to.link_path(link)))) << link;
}

TEST_F(ImportTest, ItMayBeTheBestItself) {
  const CheckpointStore from = store_of("old"), to = store_of("new");
  save(from, kBest);
  import_checkpoint(from.path(kBest), state_of(6), to);
  EXPECT_EQ(to.list(), std::vector{kBest});
  EXPECT_EQ(step_at(to, "best"), 6);
}

TEST_F(ImportTest, WhatIsThereIsNotReplaced) {
  const CheckpointStore from = store_of("old"), to = store_of("new");
  save(from, kLast);
  save(to, kLast);
  const std::string before = read_file(to.path(kLast) / "manifest.json");
  EXPECT_TRUE(raises(
      kFileChanged, [&] { import_checkpoint(from.path(kLast), state_of(9), to); },
      to.path(kLast).string()));
  EXPECT_EQ(read_file(to.path(kLast) / "manifest.json"), before);
}

TEST_F(ImportTest, FromAFolderOfVersion01) {
  save_old("old", "last", 9);
  save_old("old", "best", 6);
  save_old("old", "best_stage1", 3);
  const RunFolder old_run(parent_ / "old");
  const CheckpointStore to = store_of("new");
  RunState state = load_checkpoint(old_run.checkpoint("last")).run;
  adopt_old_state(state);
  state.best_stage1 = 3;
  import_checkpoint(old_run.checkpoint("last"), state, to);
  EXPECT_EQ(to.list(), (std::vector{kLast, kBest, kStage1}));
  const RunState last = load_checkpoint(to.path(kLast)).run;
  EXPECT_EQ(last.step, 9);
  EXPECT_EQ(last.epoch_samples, 9 * kShape.global_batch);
  EXPECT_EQ(last.best_stage1, 3);
  EXPECT_EQ(step_at(to, "best"), 6);
  EXPECT_EQ(load_checkpoint(to.link_path("best")).run.global_batch, kShape.global_batch);
  EXPECT_EQ(step_at(to, "best_stage1"), 3);
  // The old folder is as it was.
  for (const char* name : {"last", "best", "best_stage1"}) {
    EXPECT_FALSE(fs::exists(old_run.checkpoint(name) / "manifest.json"));
    EXPECT_FALSE(fs::is_symlink(old_run.checkpoint(name)));
  }
}

TEST_F(ImportTest, ABestOfAnotherTimeStaysWhereItIs) {
  save_old("old", "last", 9);
  save_old("old", "best", 5);
  const RunFolder old_run(parent_ / "old");
  const CheckpointStore to = store_of("new");
  import_checkpoint(old_run.checkpoint("last"), state_of(9), to);
  EXPECT_EQ(to.list(), std::vector{kLast});
  EXPECT_FALSE(fs::exists(fs::symlink_status(to.link_path("best"))));
}

// `best` moves on; best_stage1 is what stage 2 goes back to.
TEST(ReloadBest, OfStage1AfterTheNextBest) {
  if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  const TemporaryFolder folder;
  const CheckpointStore store(folder / "checkpoints");
  Fixture fixture;
  fixture.step(0);
  const auto first = fixture.snapshot();
  save(store.path({1}), fixture, after(1, fixture.plan));
  store.link("best", {1});
  store.link("best_stage1", {1});
  fixture.step(1);
  save(store.path({2}), fixture, after(2, fixture.plan));
  store.link("best", {2});
  store.prune({.newest = 1, .also_steps = {1}});
  EXPECT_EQ(load_checkpoint(store.link_path("best")).run.step, 2);
  EXPECT_TRUE(reload_best(store.link_path("best_stage1"), fixture.learner, test::group()));
  expect_same(fixture.snapshot(), first);
}

}  // namespace
}  // namespace dfine
