#include "train/plan/saved_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/load.h"
#include "support/raises.h"
#include "train/plan/resolve.h"

namespace dfine {
using enum ErrorCode;
namespace {

const std::vector<Category> kClasses{{1, "cat"}, {2, "dog"}};
constexpr int64_t kImages = 40;

Config small_config() {
  Config config;
  config.data.train = config.data.val = "unused";  // what a saved configuration must name
  config.data.batch_size = 2;
  config.data.image_size = {320, 480};
  return config;
}

RunPlan plan_of(const Config& config) {
  RunPlan plan = resolve(config, kClasses, kImages, /*ranks=*/1, /*cuda=*/false);
  plan.train_data = "11111111 (40 images)";
  plan.val_data = "22222222 (8 images)";
  return plan;
}

/// A checkpoint of small_config(), and the run that is to continue it.
struct Continued {
  RunPlan plan = plan_of(small_config());
  RunState saved;
  ModelDescription model{.spec = plan.model.spec,
                         .class_names = {"cat", "dog"},
                         .category_ids = {1, 2},
                         .image_height = 320,
                         .image_width = 480};
  std::vector<Category> classes = kClasses;

  Continued() {
    saved.config = plan.config;
    saved.train_data = plan.train_data;
    saved.val_data = plan.val_data;
    saved.global_batch = 2;
  }
  Caught refusal() const {
    return catch_error([&] { require_continuable(saved, model, plan, classes); });
  }
};

TEST(RequireContinuable, TheSameRunIs) {
  EXPECT_FALSE(Continued().refusal().code);
}

TEST(RequireContinuable, WhatDecidesNothingMayDiffer) {
  Continued run;
  Config config = small_config();
  config.data.batch_size = 4;
  config.optim.lr = 1e-5;
  config.train.epochs = 99;
  config.run.precision = Precision::kBf16;
  run.plan = plan_of(config);
  EXPECT_FALSE(run.refusal().code);
}

/// All that a run may be refused for.
Continued different() {
  Continued run;
  Config config = small_config();
  config.model.size = "s";
  config.model.num_denoising = 0;
  config.model.num_queries = 200;
  config.data.image_size = {640, 672};
  run.plan = plan_of(config);
  run.plan.train_data = "33333333 (41 images)";
  run.plan.val_data = "44444444 (9 images)";
  run.classes = {{1, "dog"}, {2, "cat"}};
  return run;
}

TEST(RequireContinuable, AllDifferencesAreNamedWithBothSides) {
  Continued run = different();
  const Caught error = run.refusal();
  EXPECT_TRUE(error.is(kCheckpointMismatch, "model.size: n ", ", s now",
                       "model.num_denoising: 100 ", ", 0 now", "data.train: 11111111 (40 images) ",
                       ", 33333333 (41 images) now", "data.val: 22222222 (8 images) ",
                       ", 44444444 (9 images) now", "classes: cat ", ", dog and", ": 320x480 ",
                       ", 640x672 now", "model.num_queries: 300 ", ", 200 now", "model.weights"));
  // Nothing allows another model: there is no use in allowing the rest.
  EXPECT_EQ(error.text.find("allow_changed"), std::string::npos) << error.text;
}

TEST(RequireContinuable, TheHintAllowsWhatDiffersAndCanBeAllowed) {
  Continued run = different();
  run.plan.model_size = "n";
  run.plan.model.spec.num_denoising = 100;
  EXPECT_TRUE(
      run.refusal().is(kCheckpointMismatch,
                       R"(run.allow_changed = ["data", "classes", "image_size", "num_queries"])"));
  run = {};
  run.plan.train_data = "33333333 (41 images)";
  EXPECT_TRUE(run.refusal().is(kCheckpointMismatch, R"(run.allow_changed = ["data"])"));
}

TEST(RequireContinuable, TheHintKeepsWhatIsAllowedAlready) {
  Continued run;
  run.plan.train_data = "33333333 (41 images)";
  run.plan.model.spec.num_queries = 77;
  run.plan.allow_changed = {"data"};
  EXPECT_TRUE(
      run.refusal().is(kCheckpointMismatch, R"(run.allow_changed = ["data", "num_queries"])"));
}

TEST(RequireContinuable, WhatIsAllowedIsLeftOut) {
  const auto has = [](const Caught& error, const char* text) {
    return error.text.find(text) != std::string::npos;
  };
  struct Case {
    const char* allowed;
    std::vector<std::string> gone;
  };
  for (const Case& c : std::vector<Case>{{"data", {"data.train", "data.val"}},
                                         {"classes", {"cat and dog"}},
                                         {"image_size", {"320x480"}},
                                         {"num_queries", {"model.num_queries"}}}) {
    Continued run = different();
    run.plan.allow_changed = {c.allowed};
    const Caught error = run.refusal();
    EXPECT_TRUE(error.is(kCheckpointMismatch, "model.size"));
    for (const char* text :
         {"data.train", "data.val", "cat and dog", "320x480", "model.num_queries"}) {
      const bool gone = std::ranges::find(c.gone, text) != c.gone.end();
      EXPECT_EQ(has(error, text), !gone) << c.allowed << ": " << text;
    }
  }
}

TEST(RequireContinuable, NothingAllowsAnotherModel) {
  Continued run = different();
  run.plan.allow_changed = {"data", "classes", "image_size", "num_queries"};
  const Caught error = run.refusal();
  EXPECT_TRUE(error.is(kCheckpointMismatch, "model.size", "model.num_denoising"));
  EXPECT_EQ(error.text.find("run.allow_changed"), std::string::npos) << error.text;
  Config config = small_config();
  config.model.num_queries = 200;
  config.data.image_size = {640, 672};
  const auto allowed = run.plan.allow_changed;
  run.plan = plan_of(config);
  run.plan.allow_changed = allowed;
  EXPECT_FALSE(run.refusal().code);
}

TEST(RequireContinuable, ItsDenoisingMayHaveAnotherNumber) {
  Continued run;
  Config config = small_config();
  config.model.num_denoising = 50;
  run.plan = plan_of(config);
  EXPECT_FALSE(run.refusal().code);
}

// Version 0.1 did not say which data a checkpoint is of.
TEST(RequireContinuable, UnknownDataIsNotCompared) {
  Continued run;
  run.saved.train_data = run.saved.val_data = "";
  EXPECT_FALSE(run.refusal().code);
  run = {};
  run.plan.val_data = "";  // validation was switched off
  EXPECT_FALSE(run.refusal().code);
  run.plan.train_data = "";
  EXPECT_TRUE(run.refusal().is(kCheckpointMismatch, "data.train"));
}

TEST(ChangedSettings, AreListedWithBothSides) {
  Config saved = small_config(), now = small_config();
  EXPECT_EQ(changed_settings(print_config(saved), print_config(now)), "");
  saved.optim.lr = 0.5;
  now.optim.lr = 0.25;
  now.run.resume = "auto";
  EXPECT_EQ(changed_settings(print_config(saved), print_config(now)),
            "\n  optim.lr = 0.25, was 0.5");
}

/// As load_checkpoint() returns it, of a run of 2 ranks x 3 images x 4 micro-batches.
RunState old_state(int64_t epoch, int64_t epoch_step, double stage2_epoch = 0,
                   int64_t every_epochs = 1) {
  Config config = small_config();
  config.data.batch_size = 3;
  config.train.gradient_accumulation_steps = 4;
  config.train.epochs = 20;
  config.train.stage2_epoch = stage2_epoch;
  config.validate.every_epochs = every_epochs;
  RunState state;
  state.step = 10 * epoch + epoch_step;
  state.epoch = epoch;
  state.epoch_samples = epoch_step;
  state.world_size = 2;
  state.config = print_config(config);
  return state;
}

TEST(AdoptOldState, StepsBecomeSamples) {
  RunState state = old_state(3, 5);
  adopt_old_state(state);
  EXPECT_EQ(state.global_batch, 24);
  EXPECT_EQ(state.epoch, 3);
  EXPECT_EQ(state.epoch_samples, 5 * 24);
  EXPECT_EQ(state.samples, 35 * 24);
  EXPECT_EQ(state.step, 35);
  adopt_old_state(state);  // it is done
  EXPECT_EQ(state.epoch_samples, 5 * 24);
}

TEST(AdoptOldState, TheStage) {
  const auto stage = [](int64_t epoch, int64_t epoch_step, double stage2_epoch) {
    RunState state = old_state(epoch, epoch_step, stage2_epoch);
    adopt_old_state(state);
    return state.stage;
  };
  EXPECT_EQ(stage(19, 9, 0), 1);  // it has no second one
  EXPECT_EQ(stage(0, 0, 0), 1);
  EXPECT_EQ(stage(14, 9, 15), 1);
  EXPECT_EQ(stage(15, 0, 15), 1);  // what begins it is not done
  EXPECT_EQ(stage(15, 1, 15), 2);
  EXPECT_EQ(stage(16, 0, 15), 2);
  EXPECT_EQ(stage(15, 1, 0.75), 2);  // a share of the epochs
  EXPECT_EQ(stage(15, 0, 0.75), 1);
}

TEST(AdoptOldState, ValidationsWithoutABest) {
  const auto count = [](int64_t epoch, int64_t epoch_step, int64_t best_epoch,
                        int64_t every_epochs) {
    RunState state = old_state(epoch, epoch_step, 0, every_epochs);
    state.best = RunState::Best{.value = 1, .epoch = best_epoch, .step = 10 * (best_epoch + 1)};
    adopt_old_state(state);
    return state.validations_without_best;
  };
  EXPECT_EQ(count(5, 0, 4, 1), 0);  // the last one was the best
  EXPECT_EQ(count(8, 0, 4, 1), 3);
  EXPECT_EQ(count(8, 3, 4, 1), 3);  // epoch 8 is under way
  EXPECT_EQ(count(8, 0, 3, 2), 2);  // after the epochs 5 and 7
  EXPECT_EQ(count(9, 9, 3, 2), 2);
  EXPECT_EQ(count(10, 0, 3, 2), 3);
  EXPECT_EQ(count(3, 0, 4, 1), 0);
  EXPECT_EQ(count(8, 0, 4, 0), 0);  // no validation
  RunState never = old_state(8, 0);
  adopt_old_state(never);
  EXPECT_EQ(never.validations_without_best, 0);
}

}  // namespace
}  // namespace dfine
