#include "analysis/short_decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dfine {
namespace {

TEST(ShortDecimal, TakesTheFewestDigitsThenTheLargest) {
  EXPECT_EQ(short_decimal(0.41, 0.4376), 0.43);
  EXPECT_EQ(short_decimal(0.4371, 0.4376), 0.4376);
  EXPECT_EQ(short_decimal(0.2, 0.9), 0.9);
  EXPECT_EQ(short_decimal(-0.2, 0.9), 0);
  EXPECT_EQ(short_decimal(0.2, 1.5), 1);
  EXPECT_EQ(short_decimal(-0.75, -0.5), -0.5);
  EXPECT_EQ(short_decimal(12.2, 37.9), 37);
}

// 0.1 * 3 is above 0.3; 0.7F is below 0.7.
TEST(ShortDecimal, StaysBetweenTheNumbersAsTheyAre) {
  EXPECT_EQ(short_decimal(0.3, 0.1 * 3), 0.1 * 3);
  const double single = 0.7F;
  EXPECT_LE(short_decimal(0.69999, single), single);
  EXPECT_GT(short_decimal(0.69999, single), 0.69999);
  // A thousand times the number just below 0.343 is rounded to 343.
  EXPECT_EQ(short_decimal(0.3415, std::nextafter(0.343, 0.0)), 0.342);
}

TEST(ShortDecimal, NeighboursAreToldApart) {
  for (const double score : {1e-300, 3e-17, 0.1, 1.0 / 3, 0.9999999999999999, 1.0, 1e17, 1e300}) {
    const double below = std::nextafter(score, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(short_decimal(below, score), score);
    EXPECT_EQ(short_decimal(-score, -below), -below);
  }
}

}  // namespace
}  // namespace dfine
