#include "optim/clip.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dfine {
namespace {

/// Parameters whose gradients have the norms 3 and 4, and one without a gradient.
std::vector<Tensor> three_four() {
  std::vector<Tensor> parameters{at::zeros({9}, at::kDouble), at::zeros({2, 2}, at::kDouble),
                                 at::zeros({5}, at::kDouble)};
  parameters[0].mutable_grad() = at::full({9}, 1.0, at::kDouble);
  parameters[1].mutable_grad() = at::full({2, 2}, -2.0, at::kDouble);
  return parameters;
}

TEST(ClipGradNorm, ScalesDownToTheNorm) {
  const auto parameters = three_four();
  EXPECT_DOUBLE_EQ(clip_grad_norm(parameters, 0.1).item<double>(), 5.0);
  const double factor = 0.1 / (5 + 1e-6);  // torch.nn.utils.clip_grad_norm_
  EXPECT_DOUBLE_EQ(parameters[0].grad()[3].item<double>(), factor);
  EXPECT_DOUBLE_EQ(parameters[1].grad()[1][0].item<double>(), -2 * factor);
  EXPECT_FALSE(parameters[2].grad().defined());
}

TEST(ClipGradNorm, NeverScalesUp) {
  const auto parameters = three_four();
  EXPECT_DOUBLE_EQ(clip_grad_norm(parameters, 7).item<double>(), 5.0);
  EXPECT_EQ(parameters[0].grad()[0].item<double>(), 1.0);
}

TEST(ClipGradNorm, ZeroOnlyMeasures) {
  const auto parameters = three_four();
  EXPECT_DOUBLE_EQ(clip_grad_norm(parameters, 0).item<double>(), 5.0);
  EXPECT_EQ(parameters[1].grad()[0][0].item<double>(), -2.0);
}

TEST(ClipGradNorm, NothingToMeasure) {
  EXPECT_EQ(clip_grad_norm({}, 0.1).item<double>(), 0.0);
  EXPECT_EQ(clip_grad_norm({at::zeros({3})}, 0.1).item<double>(), 0.0);
}

TEST(ClipGradNorm, ANanShows) {
  const auto parameters = three_four();
  parameters[0].grad()[2] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(clip_grad_norm(parameters, 0.1).item<double>()));
}

}  // namespace
}  // namespace dfine
