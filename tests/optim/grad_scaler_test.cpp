#include "optim/grad_scaler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

namespace dfine {
namespace {

// Expected values: the rule that torch.amp.GradScaler documents (init_scale 65536, growth_factor 2, backoff_factor 0.5, growth_interval
// 2000), in closed form. All scales are powers of two, so equal means equal.

TEST(GradScaler, DoublesAfterEvery2000GoodStepsInARow) {
  GradScaler scaler;
  EXPECT_EQ(scaler.scale(), 65536);
  for (int step = 1; step <= 6000; ++step) {
    scaler.update(false);
    EXPECT_EQ(scaler.scale(), 65536 * std::exp2(step / 2000)) << step;
  }
}

TEST(GradScaler, AnOverflowHalvesAndStartsTheCountAnew) {
  GradScaler scaler;
  for (int step = 0; step < 1999; ++step) scaler.update(false);
  scaler.update(true);
  EXPECT_EQ(scaler.scale(), 32768);
  for (int step = 0; step < 1999; ++step) scaler.update(false);
  EXPECT_EQ(scaler.scale(), 32768);
  scaler.update(false);
  EXPECT_EQ(scaler.scale(), 65536);
}

TEST(GradScaler, SixteenOverflowsLeaveNothingToBackOff) {
  GradScaler scaler;
  for (int k = 1; k <= 16; ++k) {
    EXPECT_TRUE(scaler.can_back_off());
    scaler.update(true);
    EXPECT_EQ(scaler.scale(), std::exp2(16 - k));
  }
  EXPECT_FALSE(scaler.can_back_off());
}

TEST(GradScaler, NeverGrowsToInfinity) {
  GradScaler scaler;
  scaler.load({.scale = std::exp2(127.0F), .good_steps = 1999});
  scaler.update(false);
  EXPECT_EQ(scaler.scale(), std::exp2(127.0));
  EXPECT_EQ(scaler.state().good_steps, 0);
}

TEST(GradScaler, UnscalesExactlyAndKeepsWhatIsNotFinite) {
  const GradScaler scaler;
  const Tensor a = at::zeros({3}), b = at::zeros({1}), without = at::zeros({2});
  const Tensor gradient = at::tensor({0.1F, -3.0F, 1e-20F});
  a.mutable_grad() = gradient * 65536;
  b.mutable_grad() = at::full({1}, std::numeric_limits<float>::infinity());
  scaler.unscale({a, b, without});
  EXPECT_TRUE(a.grad().equal(gradient));
  EXPECT_TRUE(b.grad().isinf().all().item<bool>());
  EXPECT_FALSE(without.grad().defined());
}

}  // namespace
}  // namespace dfine
