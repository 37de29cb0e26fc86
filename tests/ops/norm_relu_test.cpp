// The operator against LibTorch's batch norm, ReLU and affine block one by one, in double, on all
// ranks' samples together.
#include "ops/norm_relu.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <vector>

#include "core/error.h"
#include "rank_main.h"
#include "support/hashed.h"

namespace dfine {
namespace {

constexpr double kEps = 1e-5, kMomentum = 0.1;

struct Case {
  int64_t channels, height, width;
  bool relu, affine_block;
  double offset;  // of the values, whose standard deviation is about 0.6
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.channels << " channels, " << c.height << "x" << c.width << ", ReLU " << c.relu
             << ", affine block " << c.affine_block << ", offset " << c.offset;
}

// Channels that are no multiple of a vector, one pixel, more rows than a part has.
const std::vector<Case> kCases{
    {16, 33, 40, true, true, 0}, {64, 20, 20, true, false, 0},  {12, 7, 9, true, true, 0},
    {37, 5, 5, false, false, 0}, {3, 90, 91, true, true, 0},    {2048, 3, 3, true, false, 0},
    {8, 1, 1, true, true, 0},    {32, 30, 30, true, true, 100}, {128, 16, 16, false, false, 5}};

struct Values {
  Tensor x, weight, bias, scale, shift;  // leaves
  Tensor running_mean, running_var, direction;
  std::vector<Tensor> leaves() const { return {x, weight, bias, scale, shift}; }
};

/// Of `samples` samples from the first on.
Values values_of(const Case& c, at::ScalarType type, int64_t first, int64_t samples) {
  const auto of_samples = [&](uint64_t seed) {
    return hashed_signed(seed, {first + samples, c.channels, c.height, c.width})
        .slice(0, first)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  const auto leaf = [&](const Tensor& x) { return x.to(type).clone().requires_grad_(true); };
  Values v;
  // Rounded to float first, so that all types start from the same numbers.
  v.x = leaf((of_samples(1) + c.offset).to(at::kFloat));
  v.weight = leaf(hashed_uniform(2, {c.channels}) + 0.5);
  v.bias = leaf(hashed_signed(3, {c.channels}));
  v.scale = leaf(at::full({1}, 0.75, at::kDouble));
  v.shift = leaf(at::full({1}, -0.5, at::kDouble));
  v.running_mean = at::full({c.channels}, 0.25, at::kDouble).to(type);
  v.running_var = at::full({c.channels}, 4.0, at::kDouble).to(type);
  v.direction = of_samples(4).to(type);
  return v;
}

Tensor one_by_one(const Case& c, Values& v) {
  Tensor y = at::batch_norm(v.x, v.weight, v.bias, v.running_mean, v.running_var, true, kMomentum,
                            kEps, false);
  if (c.relu) y = at::relu(y);
  return c.affine_block ? y * v.scale + v.shift : y;
}

Tensor as_one(const Case& c, Values& v, const Communicator& group) {
  NormReluOptions options{.relu = c.relu, .scale = {}, .bias = {}};
  if (c.affine_block) {
    options.scale = v.scale;
    options.bias = v.shift;
  }
  return norm_relu(v.x, v.weight, v.bias, {v.running_mean, v.running_var, kMomentum}, kEps, group,
                   options);
}

double relative_error(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b).abs().max().item<double>() /
         std::max(1e-3, b.abs().max().item<double>());
}

void compare(const Case& c, at::ScalarType type, double bound) {
  const Communicator& group = test::group();
  // Rank r has r + 2 samples.
  int64_t first = 0, total = 0;
  for (int rank = 0; rank < group.size(); ++rank) {
    if (rank < group.rank()) first += rank + 2;
    total += rank + 2;
  }
  const int64_t mine = group.rank() + 2;
  Values all = values_of(c, at::kDouble, 0, total), own = values_of(c, type, first, mine);
  const Tensor wanted = one_by_one(c, all), got = as_one(c, own, group);
  EXPECT_TRUE(got.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT(relative_error(got, wanted.slice(0, first, first + mine)), bound) << c;
  EXPECT_LT(relative_error(own.running_mean, all.running_mean), bound) << c;
  EXPECT_LT(relative_error(own.running_var, all.running_var), bound) << c;
  wanted.backward(all.direction);
  got.backward(own.direction);
  EXPECT_LT(relative_error(own.x.grad(), all.x.grad().slice(0, first, first + mine)), bound) << c;
  for (size_t i = 1; i < 5; ++i) {
    const Tensor whole = all.leaves()[i].grad(), part = own.leaves()[i].grad();
    ASSERT_EQ(part.defined(), whole.defined()) << c << ", input " << i;
    if (!part.defined()) continue;
    const Tensor sum = group.is_single() ? part : group.all_gather(part.to(at::kDouble)).sum(0);
    // Sums of some thousand terms of both signs.
    EXPECT_LT(relative_error(sum, whole), 4 * bound) << c << ", input " << i;
  }
}

TEST(NormRelu, EqualsOperatorsOneByOneInDouble) {
  for (const Case& c : kCases) compare(c, at::kDouble, c.offset > 10 ? 1e-10 : 1e-12);
}

TEST(NormRelu, EqualsThemInFloat) {
  // Values of 100 have seven digits, of which the deviation takes five.
  for (const Case& c : kCases) compare(c, at::kFloat, c.offset > 10 ? 2e-4 : 1e-5);
}

TEST(NormRelu, DoesNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    Values v = values_of(kCases[0], at::kFloat, 0, 2);
    const Tensor y = as_one(kCases[0], v, Communicator(at::kCPU));
    y.backward(v.direction);
    results.push_back({y.detach(), v.running_mean, v.running_var});
    for (const Tensor& leaf : v.leaves()) results.back().push_back(leaf.grad());
  }
  at::set_num_threads(before);
  for (size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_TRUE(results[1][i].equal(results[0][i])) << i;
    EXPECT_TRUE(results[2][i].equal(results[0][i])) << i;
  }
}

TEST(NormRelu, AnInputWithoutGradient) {
  Values v = values_of(kCases[0], at::kFloat, 0, 2);
  v.x = v.x.detach();
  as_one(kCases[0], v, Communicator(at::kCPU)).sum().backward();
  EXPECT_FALSE(v.x.grad().defined());
  EXPECT_TRUE(v.weight.grad().defined());
}

TEST(NormRelu, NotANumberReachesTheOutput) {
  Values v = values_of(kCases[0], at::kFloat, 0, 2);
  const at::NoGradGuard no_grad;
  v.x[1][5][0][0] = std::numeric_limits<float>::quiet_NaN();
  const Tensor nan = as_one(kCases[0], v, Communicator(at::kCPU)).isnan();
  EXPECT_TRUE(nan.select(1, 5).all().item<bool>());
  EXPECT_FALSE(nan.select(1, 4).any().item<bool>());
}

TEST(NormRelu, OneValueOfAChannelIsAnError) {
  Values v = values_of({4, 1, 1, true, false, 0}, at::kFloat, 0, 1);
  try {
    as_one({4, 1, 1, true, false, 0}, v, Communicator(at::kCPU));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kConflictingSettings);
  }
}

TEST(NormRelu, WhatItTakes) {
  const Tensor x = at::zeros({2, 3, 4, 4});
  EXPECT_FALSE(can_norm_relu(x)) << "rows of pixels, not of channels";
  EXPECT_TRUE(can_norm_relu(x.contiguous(at::MemoryFormat::ChannelsLast)));
  EXPECT_FALSE(can_norm_relu(x.to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast)));
}

}  // namespace
}  // namespace dfine
