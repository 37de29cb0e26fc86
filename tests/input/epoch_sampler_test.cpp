#include "input/epoch_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sample_indices.h"

namespace dfine {
namespace {

using test::indices;

TEST(EpochSampler, GlobalBatchDoesNotDependOnHowRanksSplitIt) {
  const EpochSampler plan(1003, 8, true, 7, 3);
  ASSERT_EQ(plan.num_batches(), 125);
  for (int64_t b : {0, 1, 124}) {
    const auto whole = plan.batch(b, 0, 8);
    for (int ranks : {2, 4, 8}) {
      std::vector<size_t> joined;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto part = indices(plan.batch(b, rank, 8 / ranks));
        joined.insert(joined.end(), part.begin(), part.end());
      }
      EXPECT_EQ(joined, indices(whole));
    }
    EXPECT_EQ(whole.front().position, b * 8);
  }
}

TEST(EpochSampler, EachSampleAtMostOnceAndAllWhenTheyFit) {
  const EpochSampler plan(96, 8, true, 1, 0);
  std::set<size_t> seen;
  for (int64_t b = 0; b < plan.num_batches(); ++b) {
    for (const auto& s : plan.batch(b, 0, 8)) EXPECT_TRUE(seen.insert(s.index).second);
  }
  EXPECT_EQ(seen.size(), 96U);
}

TEST(EpochSampler, EpochsAndSeedsDifferAndRepeat) {
  const auto first = [](uint64_t seed, int64_t epoch) {
    return indices(EpochSampler(500, 100, true, seed, epoch).batch(0, 0, 100));
  };
  EXPECT_EQ(first(1, 0), first(1, 0));
  EXPECT_NE(first(1, 0), first(1, 1));
  EXPECT_NE(first(1, 0), first(2, 0));
  EXPECT_EQ(indices(EpochSampler(5, 5, false, 1, 9).batch(0, 0, 5)),
            (std::vector<size_t>{0, 1, 2, 3, 4}));
}

// Every place is equally likely for every image: chi-square over 40 x 40 counts of 4000 shuffles.
// With 39 * 39 = 1521 degrees of freedom the standard deviation is sqrt(2 * 1521) = 55; five of
// them bound a false alarm below 1e-6.
TEST(EpochSampler, ShuffleIsUniform) {
  constexpr int64_t kImages = 40, kShuffles = 4000;
  std::vector<double> counts(kImages * kImages);
  for (int64_t epoch = 0; epoch < kShuffles; ++epoch) {
    const auto order = EpochSampler(kImages, kImages, true, 11, epoch).batch(0, 0, kImages);
    for (const auto& s : order) counts[static_cast<size_t>(s.position) * kImages + s.index] += 1;
  }
  const double expected = static_cast<double>(kShuffles) / kImages;
  double chi_square = 0;
  for (double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_NEAR(chi_square, 1521, 5 * 55);
}

}  // namespace
}  // namespace dfine
