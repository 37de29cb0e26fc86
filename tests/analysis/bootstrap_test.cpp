#include "analysis/bootstrap.h"

#include <gtest/gtest.h>

#include "analysis/scene.h"

namespace dfine {
namespace {

BootstrapIntervals intervals(const Scene& scene, const BootstrapOptions& options, int threads = 0) {
  ThreadPool pool(threads);
  const Inputs in = make_inputs(scene.truth, scene.detections);
  const Matches matches = match_detections(in, {}, pool);
  const ScoredOutcomes outcomes = scored_outcomes(in, matches, pool);
  return bootstrap_intervals(in, matches, outcomes, threshold_curves(outcomes, matches), options,
                             pool);
}

/// A cat in every image, found with a score of its own.
Scene many_images(int images) {
  Scene scene;
  scene.truth.image_ids.clear();
  for (int i = 1; i <= images; ++i) {
    scene.truth.image_ids.push_back(i);
    scene.box(1, {0, 0, 10, 10}, false, i);
    scene.detect(1, {0, 0, 10, 10}, 1.0 / (i + 1), i);
  }
  return scene;
}

// The best threshold of a resample is the lowest score in it. One of two images: each is drawn
// twice in a quarter of the resamples, so both thresholds are far from rare.
TEST(Bootstrap, TheLowestScoreOfTheDrawnImages) {
  const auto interval = intervals(many_images(2), {}).classes.at(0);
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->low, 1.0 / 3);
  EXPECT_EQ(interval->high, 0.5);
  EXPECT_EQ(interval->resamples, 1000);
}

// The lowest of n draws is above the j-th lowest of n scores with probability (1 - j/n)^n, about
// exp(-j). Below 0.025 first at j = 4: the 97.5 % quantile is the 4th lowest. The lowest of all is
// drawn in 63 % of the resamples, so it is the 2.5 % quantile.
TEST(Bootstrap, QuantilesOfTheLowestDraw) {
  constexpr int kImages = 400;
  const auto interval = intervals(many_images(kImages), {.resamples = 20000}).pooled;
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(interval->low, 1.0 / (kImages + 1));
  EXPECT_GT(interval->high, 1.0 / (kImages - 1));
  EXPECT_LE(interval->high, 1.0 / (kImages - 2));
}

TEST(Bootstrap, ThreadsChangeNothingAndTheSeedDoes) {
  const Scene scene = many_images(40);
  const auto high = [&](uint64_t seed, int threads) {
    return intervals(scene, {.resamples = 37, .seed = seed}, threads).pooled->high;
  };
  bool differs = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(high(seed, 0), high(seed, 3));
    differs |= high(seed, 0) != high(0, 0);
  }
  EXPECT_TRUE(differs);
}

// The dog is found in one of two images: resamples without that image have no threshold.
TEST(Bootstrap, ResamplesWithoutATruePositiveAreLeftOut) {
  Scene scene = many_images(2);
  scene.box(2, {50, 0, 10, 10});
  scene.detect(2, {50, 0, 10, 10}, 0.8);
  const auto out = intervals(scene, {});
  ASSERT_TRUE(out.classes.at(1).has_value());
  EXPECT_NEAR(out.classes.at(1)->resamples, 750, 60);  // 4 standard deviations
  EXPECT_EQ(out.classes.at(1)->low, 0.8);
}

TEST(Bootstrap, NothingToDraw) {
  Scene scene;
  EXPECT_EQ(intervals(scene, {}).pooled.has_value(), false);
  scene.truth.image_ids.clear();
  EXPECT_EQ(intervals(scene, {}).pooled.has_value(), false);
  EXPECT_EQ(intervals(many_images(3), {.resamples = 0}).pooled.has_value(), false);
}

}  // namespace
}  // namespace dfine
