#include "distributed/sync_batch_norm.h"

#include "joined_batch.h"
#include "rank_main.h"

namespace dfine {
namespace {

using test::BatchNormCase;
using test::group;

void expect_equal_to_joined_batch(const BatchNormCase& c, double tolerance) {
  test::expect_equal_to_joined_batch(c, tolerance, group());
}

TEST(SyncBatchNorm, DoubleContiguous) {
  expect_equal_to_joined_batch({.shape = {5, 7, 6}}, 1e-12);
}

TEST(SyncBatchNorm, DoubleChannelsLast) {
  expect_equal_to_joined_batch({.shape = {16, 9, 5}, .channels_last = true}, 1e-12);
}

TEST(SyncBatchNorm, UnequalBatches) {
  expect_equal_to_joined_batch({.shape = {5, 7, 6}, .unequal = true}, 1e-12);
  expect_equal_to_joined_batch({.shape = {8, 3, 3}, .channels_last = true, .unequal = true}, 1e-12);
}

TEST(SyncBatchNorm, OtherNumbersOfDimensions) {
  expect_equal_to_joined_batch({.shape = {5, 11}}, 1e-12);
  expect_equal_to_joined_batch({.shape = {6}}, 1e-12);
  expect_equal_to_joined_batch({.shape = {6, 1, 1}, .channels_last = true}, 1e-12);
}

TEST(SyncBatchNorm, FrozenWeightAndBias) {
  expect_equal_to_joined_batch({.shape = {5, 7, 6}, .train_weight = false}, 1e-12);
}

TEST(SyncBatchNorm, FloatWithinRounding) {
  expect_equal_to_joined_batch({.shape = {16, 20, 20}, .type = at::kFloat}, 2e-6);
  expect_equal_to_joined_batch({.shape = {16, 20, 20}, .type = at::kFloat, .channels_last = true},
                               2e-6);
}

TEST(SyncBatchNorm, ValuesFarFromZero) {
  // Mean 1000 times the standard deviation: a variance as E[x^2] - E[x]^2 would lose 6 digits, in
  // float all of them. The kernels' x * scale + shift rounds at 1000 * 2^-24 in float.
  expect_equal_to_joined_batch({.shape = {4, 9, 9}, .offset = 1e3}, 1e-9);
  expect_equal_to_joined_batch({.shape = {4, 9, 9}, .type = at::kFloat, .offset = 1e3}, 5e-4);
}

TEST(SyncBatchNorm, ReducedPrecisionInputKeepsItsType) {
  if (group().is_single()) GTEST_SKIP() << "at::batch_norm alone";
  const BatchNormCase c{.shape = {5, 7, 6}};
  Tensor mean = at::zeros({5}), var = at::ones({5});
  Tensor x = test::batch_norm_values(c, 2, group().rank()).to(at::kBFloat16).requires_grad_();
  const Tensor y = sync_batch_norm(x, at::ones({5}), at::zeros({5}), mean, var, 0.1, 1e-5, group());
  y.sum().backward();
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_EQ(x.grad().scalar_type(), at::kBFloat16);
  EXPECT_LT(y.to(at::kFloat).mean().abs().item<double>(), 0.2);
}

}  // namespace
}  // namespace dfine
