#include "loss/matcher.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace dfine {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Ten times the L1 distance of the boxes alone: the cost of a query can then be read off.
constexpr MatcherOptions kDistance{.class_weight = 0, .bbox_weight = 10, .giou_weight = 0};

/// The query that the one box, of class 1 at cx = 0.5, gets. Queries are at these centres with
/// these logits of the box's class (0 where none are given). All boxes are equal otherwise.
int64_t chosen(const std::vector<float>& centres, const std::vector<float>& logits_of_1 = {},
               const MatcherOptions& options = kDistance) {
  std::vector<float> boxes;
  for (const float centre : centres) boxes.insert(boxes.end(), {centre, 0.5F, 0.2F, 0.2F});
  const auto queries = static_cast<int64_t>(centres.size());
  Tensor logits = at::zeros({1, 1, queries, 3});
  if (!logits_of_1.empty()) logits.select(3, 1).copy_(at::tensor(logits_of_1));
  const Targets targets{.labels = at::tensor({1}, at::kLong),
                        .boxes = at::tensor({0.5F, 0.5F, 0.2F, 0.2F}).view({1, 4}),
                        .counts = {1}};
  const MatchedIndices matching =
      hungarian_match(logits, at::tensor(boxes).view({1, 1, queries, 4}), targets, options).front();
  EXPECT_EQ(matching.size(), 1U);
  EXPECT_EQ(matching.front().size(), 1U);
  return matching.front().query.front();
}

// The official matcher: C = torch.nan_to_num(C, nan=1.0).
TEST(Matcher, ANanCosts1) {
  EXPECT_EQ(chosen({kNan, 0.5F + 0.09F}), 1);
  EXPECT_EQ(chosen({kNan, 0.5F + 0.11F}), 0);
  EXPECT_EQ(chosen({0.5F + 0.11F, kNan, 0.5F + 0.12F}), 1);
}

// 1e38 * 10 is infinite in float, 3e37 * 10 is not.
TEST(Matcher, AnInfiniteCostIsTheLargest) {
  EXPECT_EQ(chosen({1e38F, 3e37F}), 1);
  EXPECT_EQ(chosen({1e38F, kNan}), 1);
  EXPECT_EQ(chosen({1e38F}), 0);  // a matching exists all the same
}

// The official class cost, with a = 0.25 and g = 2:
// a (1 - p)^g -log(p + 1e-8) - (1 - a) p^g -log(1 - p + 1e-8).
TEST(Matcher, TheClassCostWhereTheClassIsAbsentOrCertain) {
  constexpr MatcherOptions kBoth{.class_weight = 1, .bbox_weight = 10, .giou_weight = 0};
  // p = 0: 0.25 * 18.4207 = 4.6052. p = 1: -0.75 * 18.4207 = -13.8155. p = 0.5: -0.0866.
  EXPECT_EQ(chosen({0.5F, 0.5F + 0.468F}, {-200, 0}, kBoth), 1);  // 4.6052; 4.68 - 0.0866 = 4.5934
  EXPECT_EQ(chosen({0.5F, 0.5F + 0.471F}, {-200, 0}, kBoth), 0);  // 4.6052; 4.71 - 0.0866 = 4.6234
  EXPECT_EQ(chosen({0.5F + 1.371F, 0.5F}, {200, 0}, kBoth), 0);   // 13.71 - 13.8155; -0.0866
  EXPECT_EQ(chosen({0.5F + 1.374F, 0.5F}, {200, 0}, kBoth), 1);   // 13.74 - 13.8155; -0.0866
}

}  // namespace
}  // namespace dfine
