#include "input/epoch_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sample_indices.h"

namespace dfine {
namespace {

using test::indices;

TEST(EpochSampler, TheOrderDoesNotDependOnHowItIsCut) {
  const EpochSampler plan(1003, true, 7, 3);
  const auto whole = indices(plan.samples(0, 1003));
  for (const int64_t count : {1, 2, 8, 17}) {
    std::vector<size_t> joined;
    for (int64_t first = 0; first + count <= 1003; first += count) {
      const auto part = plan.samples(first, count);
      EXPECT_EQ(part.front().position, first);
      for (const Sample& sample : part) joined.push_back(sample.index);
    }
    EXPECT_TRUE(std::equal(joined.begin(), joined.end(), whole.begin())) << count;
  }
}

TEST(EpochSampler, EachSampleAtMostOnceAndAllWhenTheyFit) {
  const EpochSampler plan(96, true, 1, 0);
  std::set<size_t> seen;
  for (int64_t first = 0; first < 96; first += 8) {
    for (const auto& s : plan.samples(first, 8)) EXPECT_TRUE(seen.insert(s.index).second);
  }
  EXPECT_EQ(seen.size(), 96U);
}

TEST(EpochSampler, EpochsAndSeedsDifferAndRepeat) {
  const auto first = [](uint64_t seed, int64_t epoch) {
    return indices(EpochSampler(500, true, seed, epoch).samples(0, 100));
  };
  EXPECT_EQ(first(1, 0), first(1, 0));
  EXPECT_NE(first(1, 0), first(1, 1));
  EXPECT_NE(first(1, 0), first(2, 0));
  EXPECT_EQ(indices(EpochSampler(5, false, 1, 9).samples(0, 5)),
            (std::vector<size_t>{0, 1, 2, 3, 4}));
}

// Every place is equally likely for every image: chi-square over 40 x 40 counts of 4000 shuffles.
// With 39 * 39 = 1521 degrees of freedom the standard deviation is sqrt(2 * 1521) = 55; five of
// them bound a false alarm below 1e-6.
TEST(EpochSampler, ShuffleIsUniform) {
  constexpr int64_t kImages = 40, kShuffles = 4000;
  std::vector<double> counts(kImages * kImages);
  for (int64_t epoch = 0; epoch < kShuffles; ++epoch) {
    const auto order = EpochSampler(kImages, true, 11, epoch).samples(0, kImages);
    for (const auto& s : order) counts[static_cast<size_t>(s.position) * kImages + s.index] += 1;
  }
  const double expected = static_cast<double>(kShuffles) / kImages;
  double chi_square = 0;
  for (double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_NEAR(chi_square, 1521, 5 * 55);
}

}  // namespace
}  // namespace dfine
