// The network's parameter-free parts against closed forms.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/distribution.h"
#include "model/position_embedding.h"
#include "model/postprocess.h"
#include "model/query_selection.h"
#include "support/hashed.h"

namespace dfine {
namespace {

TEST(PositionEmbedding, RowsThenColumnsInRowMajorOrder) {
  const Tensor e = position_embedding(2, 3, 8, 100, at::kDouble);
  ASSERT_EQ(e.sizes(), at::IntArrayRef({1, 6, 8}));
  const auto a = e.accessor<double, 3>();
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 3; ++column) {
      const int t = row * 3 + column;
      for (int k = 0; k < 2; ++k) {
        const double omega = k == 0 ? 1.0 : 0.1;  // 100^(-k / 2)
        EXPECT_NEAR(a[0][t][k], std::sin(row * omega), 1e-15);
        EXPECT_NEAR(a[0][t][2 + k], std::cos(row * omega), 1e-15);
        EXPECT_NEAR(a[0][t][4 + k], std::sin(column * omega), 1e-15);
        EXPECT_NEAR(a[0][t][6 + k], std::cos(column * omega), 1e-15);
      }
    }
  }
}

TEST(Anchors, CentresAndSizesOfTheLevelsIndex) {
  const Anchors anchors = make_anchors({{2, 4}, {1, 2}}, at::kDouble);
  ASSERT_EQ(anchors.unact.sizes(), at::IntArrayRef({10, 4}));
  EXPECT_TRUE(anchors.valid.all().item<bool>());
  const Tensor boxes = anchors.unact.sigmoid();
  EXPECT_TRUE(at::allclose(boxes[6], at::tensor({0.625, 0.75, 0.05, 0.05}, at::kDouble), 0, 1e-15));
  EXPECT_TRUE(at::allclose(boxes[9], at::tensor({0.75, 0.5, 0.1, 0.1}, at::kDouble), 0, 1e-15));
}

TEST(Anchors, TheOuterRingOfAFineGridIsNotValid) {
  // 640 / 8: 80x80 tokens; centres of the outer ones are 1/160 from the border, within 0.01. 80^2 -
  // 78^2 = 316.
  const Anchors anchors = make_anchors({{80, 80}}, at::kFloat);
  EXPECT_EQ((~anchors.valid).sum().item<int64_t>(), 316);
  EXPECT_FALSE(anchors.valid[0].item<bool>());
  EXPECT_TRUE(anchors.valid[81].item<bool>());
  EXPECT_TRUE(anchors.unact[0].eq(std::numeric_limits<float>::infinity()).all().item<bool>());
  // Exactly 0.01: not inside.
  EXPECT_EQ((~make_anchors({{1, 50}}, at::kFloat).valid).sum().item<int64_t>(), 2);
}

TEST(BinOffsets, OfficialValues) {
  // weighting_function(32, up 0.5, reg_scale) of zoo/dfine/dfine_utils.py. With a = up * reg_scale
  // the k-th bin from the middle is at (a + 1)^(k / 15) - 1, the last at 2a.
  const auto bins = [](double reg_scale) {
    return weighting_function(at::full({1}, 0.5, at::kDouble),
                              at::full({1}, reg_scale, at::kDouble), 32);
  };
  const Tensor four = bins(4), eight = bins(8);
  ASSERT_EQ(four.sizes(), at::IntArrayRef({33}));
  EXPECT_EQ(four[16].item<double>(), 0);
  EXPECT_NEAR(four[17].item<double>(), std::pow(3.0, 1 / 15.0) - 1, 1e-15);
  EXPECT_NEAR(four[15].item<double>(), 1 - std::pow(3.0, 1 / 15.0), 1e-15);
  EXPECT_NEAR(four[31].item<double>(), 2, 1e-14);
  EXPECT_NEAR(four[32].item<double>(), 4, 1e-15);
  EXPECT_NEAR(four[0].item<double>(), -4, 1e-15);
  EXPECT_NEAR(eight[17].item<double>(), std::pow(5.0, 1 / 15.0) - 1, 1e-15);
  EXPECT_NEAR(eight[32].item<double>(), 8, 1e-15);
}

TEST(MoveEdges, InUnitsOfTheReferenceBox) {
  const Tensor ref_points = at::tensor({0.5, 0.4, 0.2, 0.1}, at::kDouble).view({1, 4});
  const Tensor scale = at::full({1}, 4.0, at::kDouble);
  EXPECT_TRUE(distance2bbox(ref_points, at::zeros({1, 4}, at::kDouble), scale).equal(ref_points));
  // Left edge 1 unit = 0.2 / 4 out, bottom edge 2 units = 2 * 0.1 / 4 out.
  const Tensor moved =
      distance2bbox(ref_points, at::tensor({1.0, 0.0, 0.0, 2.0}, at::kDouble).view({1, 4}), scale);
  EXPECT_TRUE(at::allclose(moved, at::tensor({0.475, 0.425, 0.25, 0.15}, at::kDouble).view({1, 4}),
                           0, 1e-15));
}

TEST(InverseSigmoid, KeepsFromTheEnds) {
  const Tensor x = at::tensor({0.25, 0.0, 1.0, -3.0}, at::kDouble);
  const double end = std::log(1e-5);
  EXPECT_TRUE(at::allclose(inverse_sigmoid(x),
                           at::tensor({std::log(1.0 / 3), end, -end, end}, at::kDouble), 1e-12, 0));
}

TEST(Postprocess, BestPairsInPixels) {
  // Two queries, three classes; probabilities from logits log(p / (1 - p)).
  const Tensor probability =
      at::tensor({0.1, 0.7, 0.2, 0.6, 0.05, 0.65}, at::kDouble).view({1, 2, 3});
  HeadOutput head;
  head.logits = (probability / (1 - probability)).log();
  head.boxes = at::tensor({0.5, 0.5, 0.2, 0.4, 0.1, 0.25, 0.2, 0.5}, at::kDouble).view({1, 2, 4});
  const Detections found = postprocess(head, {{.height = 100, .width = 200}}, 3).at(0);
  EXPECT_TRUE(at::allclose(found.scores, at::tensor({0.7, 0.65, 0.6}, at::kDouble), 1e-12, 0));
  EXPECT_TRUE(found.labels.equal(at::tensor({1, 2, 0}, at::kLong)));
  const Tensor boxes =
      at::tensor({80.0, 30.0, 120.0, 70.0, 0.0, 0.0, 40.0, 50.0, 0.0, 0.0, 40.0, 50.0}, at::kDouble)
          .view({3, 4});
  EXPECT_TRUE(at::allclose(found.boxes, boxes, 0, 1e-12));
  EXPECT_EQ(postprocess(head, {{100, 200}}).at(0).scores.size(0), 6) << "fewer pairs than k";
}

}  // namespace
}  // namespace dfine
