#pragma once
// sync_batch_norm against PyTorch's own batch norm of all ranks' samples together, in double on the
// CPU.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "distributed/sync_batch_norm.h"

namespace dfine::test {

struct BatchNormResult {
  Tensor y, grad_x, grad_weight, grad_bias, running_mean, running_var;
};

struct BatchNormCase {
  std::vector<int64_t> shape;  // of one sample: [C, ...]
  at::ScalarType type = at::kDouble;
  bool channels_last = false;
  double offset = 0;     // of the values, in standard deviations
  bool unequal = false;  // rank r has r + 1 samples, else 2
  bool train_weight = true;
};

// Values by a formula, so that every rank knows all of them: [n, ...].
inline Tensor batch_norm_values(const BatchNormCase& c, int64_t samples, double seed) {
  std::vector<int64_t> sizes = c.shape;
  sizes.insert(sizes.begin(), samples);
  int64_t count = samples;
  for (const int64_t s : c.shape) count *= s;
  const Tensor i = at::arange(count, at::kDouble);
  return (at::sin(i * 0.7 + seed) + at::cos(i * i * 0.013 + seed) * 0.5).reshape(sizes);
}

template <class Forward>
BatchNormResult run_batch_norm(const BatchNormCase& c, at::Device device, const Tensor& x0,
                               const Tensor& grad, Forward&& forward) {
  const int64_t channels = c.shape[0];
  const auto statistics =
      at::isReducedFloatingType(c.type) ? at::kFloat : c.type;  // of the weights as well
  Tensor x = x0.to(device, c.type).clone();
  if (c.channels_last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  x.requires_grad_();
  Tensor weight = at::linspace(0.5, 2.0, channels, at::kDouble)
                      .to(device, statistics)
                      .requires_grad_(c.train_weight);
  Tensor bias = at::linspace(-1.0, 1.0, channels, at::kDouble)
                    .to(device, statistics)
                    .requires_grad_(c.train_weight);
  BatchNormResult result;
  result.running_mean = at::full({channels}, 0.25, weight.options().requires_grad(false));
  result.running_var = at::full({channels}, 4.0, weight.options().requires_grad(false));
  result.y = forward(x, weight, bias, result.running_mean, result.running_var);
  result.y.backward(grad.to(device, c.type));
  result.grad_x = x.grad();
  result.grad_weight = weight.grad();
  result.grad_bias = bias.grad();
  return result;
}

inline double relative_error(const Tensor& a, const Tensor& b) {
  return ((a.to(at::kCPU, at::kDouble) - b).abs().max() / b.abs().max()).item<double>();
}

// PyTorch's own batch norm on the joined batch, in double, is the reference.
inline void expect_equal_to_joined_batch(const BatchNormCase& c, double tolerance,
                                         const Communicator& group) {
  constexpr double kMomentum = 0.1, kEps = 1e-5;
  int64_t first = 0, total = 0, mine = 0;
  for (int r = 0; r < group.size(); ++r) {
    const int64_t samples = c.unequal ? r + 1 : 2;
    if (r < group.rank()) first += samples;
    if (r == group.rank()) mine = samples;
    total += samples;
  }
  BatchNormCase joined = c;
  joined.type = at::kDouble;
  const Tensor x = (batch_norm_values(c, total, 0.3) + c.offset).to(c.type).to(at::kDouble),
               grad = batch_norm_values(c, total, 1.9).to(c.type).to(at::kDouble);
  const BatchNormResult expected = run_batch_norm(
      joined, at::kCPU, x, grad,
      [&](const Tensor& in, const Tensor& w, const Tensor& b, Tensor& mean, Tensor& var) {
        return at::batch_norm(in, w, b, mean, var, true, kMomentum, kEps, false);
      });
  const BatchNormResult actual = run_batch_norm(
      c, group.device(), x.slice(0, first, first + mine), grad.slice(0, first, first + mine),
      [&](const Tensor& in, const Tensor& w, const Tensor& b, Tensor& mean, Tensor& var) {
        return sync_batch_norm(in, w, b, mean, var, kMomentum, kEps, group);
      });
  EXPECT_TRUE(!c.channels_last || actual.y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(actual.y.scalar_type(), c.type);
  EXPECT_LT(relative_error(actual.y, expected.y.slice(0, first, first + mine)), tolerance);
  EXPECT_LT(relative_error(actual.grad_x, expected.grad_x.slice(0, first, first + mine)),
            tolerance);
  EXPECT_LT(relative_error(actual.running_mean, expected.running_mean), tolerance);
  EXPECT_LT(relative_error(actual.running_var, expected.running_var), tolerance);
  EXPECT_EQ(actual.grad_weight.defined(), c.train_weight);
  if (!c.train_weight) return;
  EXPECT_LT(relative_error(group.all_gather(actual.grad_weight).to(at::kDouble).sum(0),
                           expected.grad_weight),
            tolerance);
  EXPECT_LT(
      relative_error(group.all_gather(actual.grad_bias).to(at::kDouble).sum(0), expected.grad_bias),
      tolerance);
}

}  // namespace dfine::test
