#include "optim/grad_scaler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/python.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/small_checkpoint.h"

namespace dfine {
namespace {

// Expected values: the rule that torch.amp.GradScaler documents (init_scale 65536, growth_factor 2,
// backoff_factor 0.5, growth_interval 2000), in closed form. All scales are powers of two, so equal
// means equal.

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

// torch.amp.GradScaler itself, given the same overflows, ends with the state that a checkpoint
// holds.
TEST(GradScaler, StateInACheckpointIsTorchs) {
  GradScaler scaler;
  for (int step = 1; step <= 5000; ++step) scaler.update(step % 2500 == 1);
  const TemporaryFolder folder;
  Checkpoint checkpoint = small_checkpoint(1);
  checkpoint.learner.scaler = scaler.state();
  save_checkpoint(folder / "last", checkpoint);
  const Checkpoint loaded = load_checkpoint(folder / "last");
  ASSERT_TRUE(loaded.learner.scaler.has_value());
  EXPECT_EQ(loaded.learner.scaler->scale, scaler.state().scale);
  EXPECT_EQ(loaded.learner.scaler->good_steps, scaler.state().good_steps);
  checkpoint.learner.scaler.reset();
  save_checkpoint(folder / "none", checkpoint);
  EXPECT_FALSE(load_checkpoint(folder / "none").learner.scaler.has_value());
  run_python_or_skip(R"(
import sys, torch
scaler, weight = torch.amp.GradScaler("cpu"), torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([weight], lr=0)
for step in range(1, 5001):
    scaler.scale(weight.sum())
    weight.grad = torch.full((1,), float("inf") if step % 2500 == 1 else 1.0)
    scaler.step(optimizer)
    scaler.update()
saved = torch.load(sys.argv[1], weights_only=True)["scaler"]
assert saved == scaler.state_dict(), (saved, scaler.state_dict())
)",
                     {folder / "last/state.pth"});
}

}  // namespace
}  // namespace dfine
