#include "train/tools/lr_range.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/raises.h"

namespace dfine {
namespace {

/// `loss` over the exponents -6, -5.95, ..., -1.
template <class Loss>
std::vector<LrTrial> trials(Loss loss) {
  std::vector<LrTrial> all;
  for (int i = 0; i <= 100; ++i) {
    const double exponent = -6 + i * 0.05;
    all.push_back({.lr = std::pow(10, exponent), .loss = loss(exponent)});
  }
  return all;
}

// Of a sequence l_i the normalised exponential mean is sum 0.9^k l_(i-k) / sum 0.9^k.
TEST(LrRange, SmoothsWithNormalisedWeights) {
  const LrRange range =
      judge_lr_range({{.lr = 1, .loss = 4}, {.lr = 2, .loss = 2}, {.lr = 4, .loss = 1}});
  EXPECT_DOUBLE_EQ(range.trials[0].smoothed, 4);
  EXPECT_DOUBLE_EQ(range.trials[1].smoothed, (2 + 0.9 * 4) / 1.9);
  EXPECT_DOUBLE_EQ(range.trials[2].smoothed, (1 + 0.9 * 2 + 0.81 * 4) / 2.71);
}

// A parabola over the exponent, lowest at 1e-3; the mean over ten steps of 0.05 lags by a half at
// most.
TEST(LrRange, SuggestsATenthOfTheRateWithTheLowestLoss) {
  const LrRange range = judge_lr_range(trials([](double e) { return 10 + (e + 3) * (e + 3); }));
  EXPECT_NEAR(std::log10(range.trials[range.lowest].lr), -3 + 0.45, 0.1);
  EXPECT_DOUBLE_EQ(range.suggested, range.trials[range.lowest].lr / 10);
}

// A logistic fall is fastest in its middle, here at 1e-4.
TEST(LrRange, FindsWhereTheLossFallsFastest) {
  const LrRange range =
      judge_lr_range(trials([](double e) { return 10 - 5 / (1 + std::exp(-8 * (e + 4))); }));
  EXPECT_NEAR(std::log10(range.trials[range.steepest].lr), -4 + 0.25, 0.2);
}

// Noise of standard deviation 1 around 30, by the golden ratio's sequence through the normal
// distribution's quartiles. For uniform u, (u - 1/2) sqrt(12) has variance 1.
double uniform_noise(double exponent) {
  const double u = std::fmod((exponent + 7) * 20 * 0.6180339887498949, 1.0);
  return (u - 0.5) * std::sqrt(12.0);
}

TEST(LrRange, DecidesOnlyWhereTheCurveFallsAndRisesBeyondItsNoise) {
  EXPECT_FALSE(
      judge_lr_range(trials([](double e) { return 30 + uniform_noise(e); })).decides());  // flat
  EXPECT_FALSE(judge_lr_range(trials([](double e) {
                 return 30 - 3 * (e + 6) + uniform_noise(e);
               })).decides());  // never rises
  EXPECT_FALSE(judge_lr_range(trials([](double e) {
                 return 30 + 3 * (e + 6) + uniform_noise(e);
               })).decides());  // never falls
  EXPECT_TRUE(judge_lr_range(trials([](double e) {
                return 30 + 2 * (e + 3) * (e + 3) + uniform_noise(e);
              })).decides());
  EXPECT_TRUE(judge_lr_range(trials([](double e) {
                return e < -2 ? 30 - 3 * (e + 6) + uniform_noise(e) : 500;
              })).decides());
}

TEST(LrRange, Divergence) {
  EXPECT_FALSE(diverged(judge_lr_range(trials([](double e) { return 100 + e; }))));
  EXPECT_TRUE(diverged(judge_lr_range(trials([](double e) { return e < -2 ? 100 + e : 1000.0; }))));
}

TEST(LrRange, ShortRates) {
  EXPECT_EQ(short_lr(0.000166088), "1.66e-04");
  EXPECT_EQ(short_lr(0.1), "1.00e-01");
}

TEST(LrRange, NeedsThreeSteps) {
  EXPECT_TRUE(raises(
      ErrorCode::kBadValue, [] { judge_lr_range({{.lr = 1, .loss = 1}, {.lr = 2, .loss = 1}}); },
      "3", "2"));
}

TEST(LrRange, TableCsvAndPicture) {
  const LrRange range = judge_lr_range(trials([](double e) { return 10 + (e + 3) * (e + 3); }));
  const std::string table = lr_range_table(range, 20);
  EXPECT_NE(table.find("lowest"), std::string::npos);
  EXPECT_NE(table.find("falls fastest"), std::string::npos);
  EXPECT_LE(std::count(table.begin(), table.end(), '\n'), 23);
  const std::string csv = lr_range_csv(range);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 102);
  const std::string svg = lr_range_svg(range);
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace dfine
