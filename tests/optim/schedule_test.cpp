#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dfine {
namespace {

TEST(LrFactor, WarmsUpLinearlyThenStays) {
  const LrScheduleParams shape{.warmup_steps = 500};
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 0), 1.0 / 500);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 249), 0.5);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 499), 1);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 500), 1);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 1'000'000), 1);
}

TEST(LrFactor, WithoutWarmUpIsConstant) {
  for (const int64_t warmup : {0, 1}) {
    EXPECT_DOUBLE_EQ(lr_multiplier({.warmup_steps = warmup}, 0), 1);
    EXPECT_DOUBLE_EQ(lr_multiplier({.warmup_steps = warmup}, 7), 1);
  }
}

// torch.optim.lr_scheduler.MultiStepLR([3, 5], gamma=0.1): the learning rates before steps 0 to 6
// are 1, 1, 1, 0.1, 0.1, 0.01, 0.01.
TEST(LrFactor, FallsAtMilestones) {
  const LrScheduleParams shape{.milestones = {3, 5}, .gamma = 0.1};
  const double expected[] = {1, 1, 1, 0.1, 0.1, 0.01, 0.01};
  for (int64_t step = 0; step < 7; ++step)
    EXPECT_DOUBLE_EQ(lr_multiplier(shape, step), expected[step]) << step;
}

// cos(0), cos(pi/3), cos(pi/2), cos(2 pi/3) and cos(pi) are 1, 1/2, 0, -1/2, -1.
TEST(LrFactor, FollowsACosineAfterTheFlatPart) {
  const LrScheduleParams shape{.cosine_begin = 10, .cosine_end = 16, .final_factor = 0.5};
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 0), 1);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 10), 1);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 12), 0.875);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 13), 0.75);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 14), 0.625);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 16), 0.5);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 1000), 0.5);
}

TEST(LrFactor, GrowsGeometrically) {
  const LrScheduleParams shape{.growth = 2};
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 0), 1);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 10), 1024);
}

TEST(LrFactor, WarmUpMultipliesTheRest) {
  const LrScheduleParams shape{.warmup_steps = 4, .milestones = {1}, .gamma = 0.1};
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 0), 0.25);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 1), 0.05);
  EXPECT_DOUBLE_EQ(lr_multiplier(shape, 9), 0.1);
}

}  // namespace
}  // namespace dfine
