// Stage 2's reload. Only rank zero sees the checkpoint's folder; the other ranks are given
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
#include "train/checkpoint/checkpoint.h"
#include "train/plan/resolve.h"
#include "train/run/best_checkpoint.h"
#include "train/run/run_checkpoint.h"
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
  const RunPlan plan;
  Learner learner;
};

void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
}

RunState after(int64_t step) {
  RunState state;
  state.step = step;
  return state;
}

/// Rank zero's folder; elsewhere a path where nothing is.
struct HiddenFolder {
  TemporaryFolder mine;
  fs::path path() const {
    return test::group().rank() == 0 ? fs::path(mine / "checkpoints/best")
                                     : fs::path("/nowhere/checkpoints/best");
  }
  void save(Fixture& fixture, int64_t step) const {
    if (test::group().rank() == 0)
      save_run(path(), fixture.learner, fixture.plan, kClasses, after(step));
  }
};

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
  EXPECT_EQ(reload_best(folder.path(), fixture.learner, test::group()), 2);
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
  EXPECT_EQ(reload_best(folder.path(), fixture.learner, test::group()), std::nullopt);  // none
  expect_same(fixture.snapshot(), before);

  folder.save(fixture, 1);
  fixture.step(1);
  const auto later = fixture.snapshot();
  if (test::group().rank() == 0) fs::resize_file(folder.path() / "state.pth", 1000);
  EXPECT_EQ(reload_best(folder.path(), fixture.learner, test::group()), std::nullopt);  // damaged
  expect_same(fixture.snapshot(), later);
}

TEST(ReloadBest, OfAnotherModelIsNotUsable) {
  const HiddenFolder folder;
  {
    Config config = small_config();
    config.model.freeze_backbone = true;
    Fixture other(config);
    other.step(0);
    folder.save(other, 1);
  }
  Fixture fixture;
  fixture.step(1);
  const auto before = fixture.snapshot();
  EXPECT_EQ(reload_best(folder.path(), fixture.learner, test::group()), std::nullopt);
  expect_same(fixture.snapshot(), before);
}

TEST(RunCheckpoint, EveryRankContinuesFromWhatRankZeroReads) {
  const HiddenFolder folder;
  Config config = small_config();
  config.run.precision = Precision::kFp16;
  Fixture fixture(config);
  fixture.step(0, /*leave_out=*/3);
  fixture.learner.ema()->restart(0.7);
  fixture.learner.scaler()->load({.scale = 256, .good_steps = 12});
  RunState state = after(5);
  state.weights = WeightsKind::kRaw;
  state.validations = {{WeightsKind::kRaw, 0, 5, {{"ap", 0.5}}}};
  state.best =
      RunState::Best{.monitor = Monitor::kAp, .value = 0.5, .epoch = 0, .step = 4, .val_loss = 2.5};
  if (test::group().rank() == 0)
    save_run(folder.path(), fixture.learner, fixture.plan, kClasses, state);
  Fixture resumed(config);
  const RunState back = restore_run(folder.path(), resumed.learner, resumed.plan, test::group());
  EXPECT_EQ(back.step, 5);
  ASSERT_TRUE(back.best);
  EXPECT_EQ(back.best->monitor, Monitor::kAp);
  EXPECT_EQ(back.best->value, 0.5);
  EXPECT_EQ(back.best->step, 4);
  EXPECT_EQ(back.best->val_loss, 2.5);
  EXPECT_EQ(resumed.learner.ema()->restarted_decay(), 0.7);
  EXPECT_EQ(resumed.learner.ema()->updates(), 1);
  EXPECT_EQ(resumed.learner.scaler()->scale(), 256);
  EXPECT_EQ(resumed.learner.scaler()->state().good_steps, 12);
  expect_same(resumed.snapshot(), fixture.snapshot());
  if (test::group().rank() != 0) return;
  EXPECT_EQ(back.weights, WeightsKind::kRaw);
  ASSERT_EQ(back.validations.size(), 1U);
  EXPECT_EQ(back.validations[0].metrics, state.validations[0].metrics);
}

/// What restore_run says to a run of `shape` about a checkpoint. The checkpoint is of one rank with
/// a batch of 2 after 13 steps, in epochs of 10.
Caught refusal(const EpochLayout& shape) {
  const TemporaryFolder folder;
  Fixture fixture;
  Config saved = fixture.config;
  saved.data.batch_size = 2;
  save_run(folder / "last", fixture.learner, plan_of(saved), kClasses, after(13));
  Fixture other;
  const auto before = other.snapshot();
  Caught caught = catch_error([&] {
    restore_run(folder / "last", other.learner, plan_of(other.config, shape), test::group());
  });
  if (caught.code) expect_same(other.snapshot(), before);
  return caught;
}

// 13 steps of another batch, or of epochs of another length, would not have seen the same images.
TEST(RunCheckpoint, AnotherGlobalBatchOrEpochIsRefused) {
  if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  EXPECT_FALSE(refusal(kShape).code);
  // Another split.
  EXPECT_FALSE(refusal({.steps_per_epoch = 10, .global_batch = 2, .world_size = 2}).code);
  EXPECT_TRUE(refusal({.steps_per_epoch = 10, .global_batch = 4})
                  .is(kCheckpointMismatch, "2 (1 rank x 2)", "4"));
  EXPECT_TRUE(refusal({.steps_per_epoch = 10, .global_batch = 1}).is(kCheckpointMismatch));
  EXPECT_TRUE(refusal({.steps_per_epoch = 9, .global_batch = 2})
                  .is(kCheckpointMismatch, "13 steps", "9 steps"));
  EXPECT_TRUE(refusal({.steps_per_epoch = 11, .global_batch = 2}).is(kCheckpointMismatch));
}

TEST(RunCheckpoint, ABestNeedsABetterFigure) {
  RunState state = after(5);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 3}, 0));
  state.step = 10;
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 3}, 1));
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 2.9},
                              1));  // both AP zero, as in the first epochs
  EXPECT_EQ(state.best->step, 10);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.ap = 0.1, .val_loss = 5}, 2));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = 0, .val_loss = 1}, 3));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.ap = NAN, .val_loss = 1}, 3));
  EXPECT_EQ(state.val_loss, 1);  // the last one
  EXPECT_TRUE(state.validated(Monitor::kValLoss, {.ap = 0, .val_loss = 9},
                              4));  // another metric: starts over
  EXPECT_FALSE(state.validated(Monitor::kValLoss, {.ap = 1, .val_loss = 9}, 5));
  EXPECT_TRUE(state.validated(Monitor::kValLoss, {.ap = 0, .val_loss = 8}, 5));
}

// A validation pack without boxes has no AP.
TEST(RunCheckpoint, WithoutAnyApTheLossDecides) {
  RunState state = after(5);
  EXPECT_TRUE(state.validated(Monitor::kAp, {.val_loss = 3}, 0));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.val_loss = 4}, 1));
  EXPECT_FALSE(state.validated(Monitor::kAp, {.val_loss = NAN}, 1));
  EXPECT_TRUE(state.validated(Monitor::kAp, {.val_loss = 2}, 2));
}

TEST(BringBest, FromTheRunThatIsContinuedElsewhere) {
  if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  const TemporaryFolder parent;
  const RunFolder old_run(parent / "old"), new_run(parent / "new");
  Fixture fixture;
  const auto save = [&](const RunFolder& run, const std::string& name, int64_t step) {
    save_run(run.checkpoint(name), fixture.learner, fixture.plan, kClasses, after(step));
  };
  save(old_run, "last", 9);
  EXPECT_FALSE(import_best(new_run, old_run.checkpoint("last"), 6));  // there is none
  save(old_run, "best", 5);
  EXPECT_FALSE(import_best(new_run, old_run.checkpoint("last"), 6));  // of another time
  save(old_run, "best", 6);
  save(old_run, "best_stage1", 3);
  EXPECT_TRUE(import_best(new_run, old_run.checkpoint("last"), 6));
  EXPECT_EQ(load_checkpoint(new_run.checkpoint("best")).run.step, 6);
  EXPECT_EQ(load_checkpoint(new_run.checkpoint("best_stage1")).run.step, 3);

  const RunFolder third(parent / "third");
  EXPECT_TRUE(import_best(third, old_run.checkpoint("last"), 9));  // it is the best itself
  EXPECT_EQ(load_checkpoint(third.checkpoint("best")).run.step, 9);
  EXPECT_TRUE(import_best(third, old_run.checkpoint("last"), 6));  // what is there stays
  EXPECT_EQ(load_checkpoint(third.checkpoint("best")).run.step, 9);
}

TEST(KeepStage1Best, SurvivesTheNextBest) {
  if (test::group().size() > 1) GTEST_SKIP() << "rank zero's matter";
  const TemporaryFolder parent;
  const RunFolder folder(parent / "run");
  EXPECT_FALSE(keep_stage1_best(folder));
  Fixture fixture;
  fixture.step(0);
  const auto first = fixture.snapshot();
  const auto save = [&](int64_t step) {
    save_run(folder.checkpoint("best"), fixture.learner, fixture.plan, kClasses, after(step));
  };
  save(1);
  EXPECT_TRUE(keep_stage1_best(folder));
  EXPECT_EQ(fs::hard_link_count(folder.checkpoint("best_stage1") / "state.pth"),
            2U);  // one copy on disk
  fixture.step(1);
  save(2);
  EXPECT_EQ(load_checkpoint(folder.checkpoint("best")).run.step, 2);
  EXPECT_EQ(load_checkpoint(folder.checkpoint("best_stage1")).run.step, 1);
  EXPECT_EQ(reload_best(folder.checkpoint("best_stage1"), fixture.learner, test::group()), 1);
  expect_same(fixture.snapshot(), first);
  EXPECT_TRUE(keep_stage1_best(folder));  // replaces the one before
  EXPECT_EQ(load_checkpoint(folder.checkpoint("best_stage1")).run.step, 2);
}

}  // namespace
}  // namespace dfine
