#include "optim/schedule.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

TEST(LearningRate, WarmsUpLinearlyThenStays) {
  EXPECT_DOUBLE_EQ(learning_rate(8e-4, 0, 500), 8e-4 / 500);
  EXPECT_DOUBLE_EQ(learning_rate(8e-4, 249, 500), 4e-4);
  EXPECT_DOUBLE_EQ(learning_rate(8e-4, 499, 500), 8e-4);
  EXPECT_DOUBLE_EQ(learning_rate(8e-4, 500, 500), 8e-4);
  EXPECT_DOUBLE_EQ(learning_rate(8e-4, 1'000'000, 500), 8e-4);
}

TEST(LearningRate, WithoutWarmUpIsConstant) {
  EXPECT_DOUBLE_EQ(learning_rate(1e-4, 0, 0), 1e-4);
  EXPECT_DOUBLE_EQ(learning_rate(1e-4, 7, 0), 1e-4);
  EXPECT_DOUBLE_EQ(learning_rate(1e-4, 0, 1), 1e-4);
}

}  // namespace
}  // namespace dfine
