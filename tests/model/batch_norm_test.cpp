#include "model/batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace dfine {
namespace {

constexpr int64_t kChannels = 3;

Tensor values(std::vector<int64_t> sizes, uint64_t seed) {
  return at::rand(sizes, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat) + 0.5;
}

/// Scale and shift by their definition, with eps 1e-5, from what the norm holds now.
void expect_current(BatchNorm2d& norm) {
  const auto parameters = norm.named_parameters(), buffers = norm.named_buffers();
  const Tensor scale = parameters["weight"] / (buffers["running_var"] + 1e-5).sqrt();
  const Tensor shift = parameters["bias"] - buffers["running_mean"] * scale;
  const BatchNorm2d::Affine affine = norm.affine();
  EXPECT_TRUE(affine.scale.allclose(scale, 1e-6, 1e-6)) << affine.scale << scale;
  EXPECT_TRUE(affine.shift.allclose(shift, 1e-6, 1e-6)) << affine.shift << shift;
}

TEST(BatchNorm, AffineMapFollowsEveryChangeOfItsTensors) {
  BatchNorm2d norm(kChannels, {});
  norm.freeze();
  expect_current(norm);
  uint64_t seed = 1;
  for (const auto& tensors : {norm.named_parameters(), norm.named_buffers()}) {
    for (const auto& item : tensors) {
      if (!item.value().is_floating_point()) continue;
      const at::NoGradGuard no_grad;
      Tensor tensor = item.value();
      tensor.copy_(values({kChannels}, ++seed));
      expect_current(norm);
      tensor.set_data(values({kChannels}, ++seed));
      expect_current(norm);
    }
  }
}

// The kernels of a training step change the running statistics behind autograd's back.
TEST(BatchNorm, AffineMapFollowsATrainingStep) {
  BatchNorm2d norm(kChannels, {});
  const at::NoGradGuard no_grad;
  for (uint64_t step = 0; step < 3; ++step) {
    norm.train();
    norm.forward(values({2, kChannels, 4, 5}, step).contiguous(at::MemoryFormat::ChannelsLast));
    norm.eval();
    expect_current(norm);
  }
}

TEST(BatchNorm, AffineMapWithAGraphIsMadeForEachBackwardPass) {
  BatchNorm2d norm(kChannels, {});
  norm.eval();
  for (int pass = 0; pass < 2; ++pass) norm.affine().scale.sum().backward();
  EXPECT_TRUE(norm.named_parameters()["weight"].grad().defined());
}

TEST(BatchNorm, OnlyLiveNormsCountBatches) {
  BatchNorm2d live(kChannels, {}), frozen(kChannels, {}), evaluating(kChannels, {}),
      without(kChannels, {.counts_batches = false});
  frozen.freeze();
  evaluating.eval();
  for (int i = 0; i < 2; ++i) count_batch({&live, &frozen, &evaluating, &without});
  for (const auto& [norm, count] : {std::pair{&live, 2}, {&frozen, 0}, {&evaluating, 0}})
    EXPECT_EQ(norm->named_buffers()["num_batches_tracked"].item<int64_t>(), count);
}

}  // namespace
}  // namespace dfine
