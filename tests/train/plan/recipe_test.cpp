#include "train/plan/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "support/raises.h"
#include "train/plan/resolve.h"

namespace dfine {
namespace {

Config stated(std::optional<int64_t> base_batch) {
  Config config;
  config.optim.lr = 8e-4;
  config.optim.backbone_lr = 4e-4;
  config.optim.base_batch = base_batch;
  config.train.epochs = 160;
  return config;
}

TEST(Recipe, StepsOfTheRun) {
  Config config = stated(std::nullopt);
  EXPECT_EQ(make_recipe(config, {.steps_per_epoch = 924, .global_batch = 128}).total_steps,
            147'840);
  config.train.max_steps = 1000;
  EXPECT_EQ(make_recipe(config, {.steps_per_epoch = 924, .global_batch = 128}).total_steps, 1000);
}

TEST(Recipe, RatesFollowTheBatchWhenAsked) {
  Config config = stated(128);
  const EpochLayout quarter{.steps_per_epoch = 100, .global_batch = 32};
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).lr, 8e-4);
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).batch_ratio, 0.25);
  config.optim.scale_lr = LrScaling::kLinear;
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).lr, 2e-4);
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).backbone_lr, 1e-4);
  config.optim.scale_lr = LrScaling::kSqrt;
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).lr, 4e-4);
  config.optim.backbone_lr.reset();
  EXPECT_DOUBLE_EQ(make_recipe(config, quarter).backbone_lr, 4e-4);
}

// README.md of Peterande/D-FINE, "Customizing Batch Size": for a doubled batch both learning rates
// doubled, EMA decay 1 - (1 - 0.9999) * 2, EMA and LR warm-up halved.
TEST(Recipe, TheReadmesRuleForADoubledBatch) {
  Config config = stated(32);
  config.optim.scale_lr = LrScaling::kLinear;
  config.optim.scale_schedule = true;
  config.optim.warmup_steps = 500;
  config.ema.decay = 0.9999;
  config.ema.warmup_steps = 1000;
  const Recipe recipe = make_recipe(config, {.steps_per_epoch = 1848, .global_batch = 64});
  EXPECT_DOUBLE_EQ(recipe.lr, 16e-4);
  EXPECT_DOUBLE_EQ(recipe.backbone_lr, 8e-4);
  EXPECT_DOUBLE_EQ(recipe.ema_decay, 0.9998);
  EXPECT_EQ(recipe.ema_warmup_steps, 500);
  EXPECT_EQ(recipe.lr_schedule.warmup_steps, 250);
  config.optim.scale_schedule = false;
  EXPECT_DOUBLE_EQ(make_recipe(config, {.steps_per_epoch = 1848, .global_batch = 64}).ema_decay,
                   0.9999);
}

TEST(Recipe, EpochsBecomeSteps) {
  Config config = stated(std::nullopt);
  config.optim.warmup_epochs = 1.5;
  config.optim.schedule = LrSchedule::kMultistep;
  config.optim.milestones = {100, 130};
  config.optim.gamma = 0.2;
  const LrScheduleParams shape =
      make_recipe(config, {.steps_per_epoch = 10, .global_batch = 4}).lr_schedule;
  EXPECT_EQ(shape.warmup_steps, 15);
  EXPECT_EQ(shape.milestones, (std::vector<int64_t>{1000, 1300}));
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 1299), 0.2);
  EXPECT_NEAR(lr_multiplier(shape, 1300), 0.04, 1e-15);
}

// DEIM's schedule: constant to its flat epoch, the lowest learning rate from the epoch on at which
// augmentation stops.
TEST(Recipe, FlatCosineEndsWhereAugmentationStops) {
  Config config = stated(std::nullopt);
  config.optim.schedule = LrSchedule::kFlatCosine;
  const EpochLayout shape{.steps_per_epoch = 10, .global_batch = 4};
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_begin, 800);
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_end, 1600);
  config.train.stage2_epoch = 148;
  config.optim.flat_epochs = 84;
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_begin, 840);
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_end, 1480);
  EXPECT_DOUBLE_EQ(lr_multiplier(make_recipe(config, shape).lr_schedule, 1500), 0.5);
  // With shares of the run alone, half flat and "auto", a shorter run keeps the shape: 0.925 x 40
  // = 37.
  config.train.stage2_epoch.reset();
  config.optim.flat_epochs.reset();
  config.train.epochs = 40;
  EXPECT_EQ(make_recipe(config, shape).stage2_epoch, 37);
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_begin, 200);
  EXPECT_EQ(make_recipe(config, shape).lr_schedule.cosine_end, 370);
}

std::string dropped(const Config& config, int64_t num_images) {
  return describe_dropped(feed_options(config, /*ranks=*/1, num_images, 0, /*cuda=*/false));
}

TEST(Recipe, ImagesThatFillNoBatchAreCounted) {
  Config config;
  config.data.batch_size = 128;  // 118,287 images: 924 steps, and 15 images left
  const std::string shuffled = dropped(config, 118'287);
  EXPECT_TRUE(names(shuffled, "15 of 118,287", "128"));
  config.data.shuffle = false;
  EXPECT_NE(dropped(config, 118'287), shuffled);
  EXPECT_EQ(dropped(config, 924 * 128), "");
}

// Peterande/D-FINE issues 330, 294, 273, 214, 72: 400 images, batch 32, 36 epochs are 432 updates.
// A constant decay of 0.9999 then leaves 0.9999^432 = 95.8 % of the random class head in the EMA.
TEST(Recipe, AConstantDecayKeepsTheRandomHead) {
  EXPECT_NEAR(ema_initial_weight(0.9999, 0, 432), 0.958, 1e-3);
  EXPECT_DOUBLE_EQ(ema_initial_weight(0.5, 0, 3), 0.125);
  EXPECT_DOUBLE_EQ(ema_initial_weight(0.9, 2, 1), 0.9 * (1 - std::exp(-0.5)));
}

TEST(Recipe, AutomaticAveragesForgetTheStartAndEndAtTheOfficialOnes) {
  for (const int64_t steps : {1, 5, 19, 20, 21, 60, 432, 5000, 50'000, 199'999}) {
    const double share = ema_initial_weight(auto_ema_decay(steps), auto_ema_warmup(steps), steps);
    EXPECT_LE(share, std::exp(-20) * (1 + 1e-9)) << steps;
    EXPECT_LE(auto_warmup_steps(steps), steps / 20) << steps;
  }
  // A fifteenth of the run and more is what the official runs average over: 160 epochs of 924 steps
  // for n.
  for (const int64_t steps : {200'000, 500'000}) {
    EXPECT_EQ(auto_ema_decay(steps), 0.9999);
    EXPECT_EQ(auto_ema_warmup(steps), 1000);
    EXPECT_EQ(auto_warmup_steps(steps), 500);
  }
}

TEST(Recipe, SetValuesAreTakenAsTheyAre) {
  Config config = stated(std::nullopt);
  config.ema.decay = 0.99;
  config.ema.warmup_steps = 0;
  config.optim.warmup_steps = 7;
  const Recipe recipe = make_recipe(config, {.steps_per_epoch = 10, .global_batch = 4});
  EXPECT_EQ(recipe.ema_decay, 0.99);
  EXPECT_EQ(recipe.ema_warmup_steps, 0);
  EXPECT_EQ(recipe.lr_schedule.warmup_steps, 7);
}

}  // namespace
}  // namespace dfine
