#include "core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dfine {
namespace {

using Block = std::array<uint32_t, 4>;

// Known-answer vectors published with Random123 (tests/kat_vectors, "philox4x32 10").
TEST(Philox, Random123KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<uint32_t> draws(CounterRandom random, int count) {
  std::vector<uint32_t> values;
  for (int i = 0; i < count; ++i) values.push_back(random.next_u32());
  return values;
}

TEST(CounterRandom, IsAFunctionOfItsKeyAlone) {
  const auto reference = draws({7, Stream::kTest, 1, 2}, 64);
  EXPECT_EQ(draws({7, Stream::kTest, 1, 2}, 64), reference);
  EXPECT_NE(draws({8, Stream::kTest, 1, 2}, 64), reference);
  EXPECT_NE(draws({7, Stream::kAugment, 1, 2}, 64), reference);
  EXPECT_NE(draws({7, Stream::kTest, 2, 2}, 64), reference);
  EXPECT_NE(draws({7, Stream::kTest, 1, 3}, 64), reference);
  EXPECT_NE(draws({7, Stream::kTest, 1ULL << 32 | 1, 2}, 64), reference);
}

TEST(CounterRandom, CopiesContinueFromTheSamePlace) {
  CounterRandom random(3, Stream::kTest, 0);
  random.next_u32();
  CounterRandom copy = random;
  EXPECT_EQ(random.next_u64(), copy.next_u64());
}

// Bounds are six standard deviations of the sample mean and of the counts of a uniform
// distribution.
TEST(CounterRandom, UniformDrawsHaveTheRightMeanAndRange) {
  CounterRandom random(11, Stream::kTest, 5);
  constexpr int kDraws = 100000;
  const double deviation = 6 * std::sqrt(1.0 / 12 / kDraws);
  double sum = 0, sum_double = 0;
  for (int i = 0; i < kDraws; ++i) {
    const float u = random.uniform();
    const double v = random.uniform_double();
    ASSERT_TRUE(u >= 0 && u < 1 && v >= 0 && v < 1);
    sum += u;
    sum_double += v;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, deviation);
  EXPECT_NEAR(sum_double / kDraws, 0.5, deviation);
}

TEST(CounterRandom, BelowIsUnbiased) {
  CounterRandom random(13, Stream::kTest, 6);
  constexpr int kDraws = 70000, kBound = 7;
  std::vector<int> counts(kBound);
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(kBound));
  const double p = 1.0 / kBound;
  for (const int count : counts)
    EXPECT_NEAR(count, kDraws * p, 6 * std::sqrt(kDraws * p * (1 - p)));
  EXPECT_EQ(random.below(1), 0U);
  // A bound of 3 * 2^62 rejects a quarter of the raw draws; what is left splits evenly over its
  // thirds.
  const uint64_t third = 1ULL << 62;
  int low = 0;
  for (int i = 0; i < 30000; ++i) low += random.below(3 * third) < third ? 1 : 0;
  EXPECT_NEAR(low, 10000, 6 * std::sqrt(30000 * 2.0 / 9));
}

}  // namespace
}  // namespace dfine
