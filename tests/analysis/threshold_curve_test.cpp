#include "analysis/threshold_curve.h"

#include <gtest/gtest.h>

namespace dfine {
namespace {

ThresholdCurve curve_of(std::vector<std::pair<double, bool>> outcomes, int64_t positives) {
  std::vector<ScoredOutcome> list;
  for (const auto& [score, is_true] : outcomes)
    list.push_back({.score = score, .image = 0, .is_true = is_true});
  return threshold_curve(list, positives);
}

// Worked out by hand: 4 boxes, F1 = 2 TP / (TP + FP + 4).
const ThresholdCurve kCurve =
    curve_of({{0.9, true}, {0.8, false}, {0.7, true}, {0.7, true}, {0.4, false}}, 4);

TEST(ThresholdCurve, CountsBetweenAndAtScores) {
  EXPECT_EQ(kCurve.scores, (std::vector<double>{0.9, 0.8, 0.7, 0.4}));
  EXPECT_EQ(kCurve.at(0.95), (Counts{0, 0, 4}));
  EXPECT_EQ(kCurve.at(0.9), (Counts{1, 0, 3}));
  EXPECT_EQ(kCurve.at(0.75), (Counts{1, 1, 3}));
  EXPECT_EQ(kCurve.at(0.7), (Counts{3, 1, 1}));
  EXPECT_EQ(kCurve.at(-1), (Counts{3, 2, 1}));
}

TEST(ThresholdCurve, PrecisionRecallF1) {
  const Counts counts = kCurve.at(0.7);
  EXPECT_EQ(counts.precision(), 0.75);
  EXPECT_EQ(counts.recall(), 0.75);
  EXPECT_EQ(counts.f1(), 0.75);
  EXPECT_EQ((Counts{0, 0, 4}).precision(), std::nullopt);
  EXPECT_EQ((Counts{0, 3, 0}).recall(), std::nullopt);
  EXPECT_EQ((Counts{0, 0, 0}).f1(), std::nullopt);
  EXPECT_EQ((Counts{0, 3, 0}).f1(), 0);
}

TEST(ThresholdCurve, TheBestThresholdIsAShortNumber) {
  const auto best = best_threshold(kCurve);
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(best->threshold, 0.7);
  EXPECT_EQ(best->counts, (Counts{3, 1, 1}));
  EXPECT_EQ(best_threshold(curve_of({{0.73219, true}, {0.71, false}}, 1))->threshold, 0.73);
  EXPECT_EQ(best_threshold(curve_of({{0.73219, true}}, 1))->threshold, 0.73219);
}

// 2/(1+2) at 0.9, and 4/(4+2) at 0.2.
TEST(ThresholdCurve, OfEqualF1TheHighestThresholdWins) {
  EXPECT_EQ(best_place(curve_of({{0.9, true}, {0.5, false}, {0.4, false}, {0.2, true}}, 2)), 0U);
}

TEST(ThresholdCurve, NothingIsBestWithoutATruePositive) {
  EXPECT_EQ(best_place(curve_of({{0.9, false}}, 3)), std::nullopt);
  EXPECT_EQ(best_place(curve_of({}, 3)), std::nullopt);
  EXPECT_EQ(curve_of({}, 3).at(0.5), (Counts{0, 0, 3}));
}

}  // namespace
}  // namespace dfine
