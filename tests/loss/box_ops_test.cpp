#include "loss/box_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace dfine {
namespace {

Tensor box(double cx, double cy, double w, double h) {
  return at::tensor({cx, cy, w, h}, at::kDouble);
}

void expect_overlap(const Tensor& a, const Tensor& b, double iou, double giou) {
  const IouGiou result = box_iou_giou(a, b);
  EXPECT_NEAR(result.iou.item<double>(), iou, 1e-15);
  EXPECT_NEAR(result.giou.item<double>(), giou, 1e-15);
}

// Expected values by hand: IoU = intersection / union, GIoU = IoU - (hull - union) / hull.
TEST(IouGiou, ByHand) {
  expect_overlap(box(2, 2, 2, 2), box(2, 2, 2, 2), 1, 1);
  expect_overlap(box(1, 1, 2, 2), box(2, 1, 2, 2), 2.0 / 6,
                 2.0 / 6);  // halves shared, the hull is the union
  expect_overlap(box(1, 1, 2, 2), box(2, 2, 2, 2), 1.0 / 7, 1.0 / 7 - 2.0 / 9);  // hull 3 x 3
  expect_overlap(box(0.5, 0.5, 1, 1), box(3.5, 0.5, 1, 1), 0, -0.5);  // hull 4 x 1, union 2
  expect_overlap(box(1, 1, -2, 2), box(1, 1, 2, 2), 0,
                 0);  // negative width: a line inside the other
  EXPECT_TRUE(std::isnan(
      box_iou_giou(box(1, 1, 0, 2), box(1, 1, 0, 2)).iou.item<double>()));  // no area at all
}

TEST(IouGiou, AllPairsByBroadcasting) {
  const Tensor a = at::stack({box(1, 1, 2, 2), box(2, 2, 2, 2)}),
               b = at::stack({box(1, 1, 2, 2), box(2, 1, 2, 2), box(5, 5, 1, 1)});
  const IouGiou all = box_iou_giou(a.unsqueeze(1), b.unsqueeze(0));
  ASSERT_EQ(all.giou.sizes(), (at::IntArrayRef{2, 3}));
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 3; ++j)
      EXPECT_EQ(all.giou[i][j].item<double>(), box_iou_giou(a[i], b[j]).giou.item<double>());
  }
}

TEST(IouGiou, NegativeSizesGetNoGradient) {
  const Tensor a = box(1, 1, -0.5, 2).requires_grad_();
  box_iou_giou(a, box(1, 1, 2, 2)).giou.backward();
  EXPECT_EQ(a.grad()[2].item<double>(), 0);
}

}  // namespace
}  // namespace dfine
