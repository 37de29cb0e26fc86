#include "analysis/matches.h"

#include <gtest/gtest.h>

#include <limits>

#include "analysis/scene.h"
#include "core/error.h"
#include "support/raises.h"

namespace dfine {
namespace {

Matches match(const Scene& scene, const MatchOptions& options = {}) {
  ThreadPool pool(0);
  const Inputs in = make_inputs(scene.truth, scene.detections);
  return match_detections(in, options, pool);
}

void expect(const Matches& matches, size_t detection, Outcome outcome, uint32_t box = kNoIndex) {
  EXPECT_EQ(matches.detections.at(detection).outcome, outcome) << detection;
  EXPECT_EQ(matches.detections.at(detection).box, box) << detection;
}

TEST(Matches, TheHigherScoreTakesTheBox) {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.detect(1, {0, 0, 10, 9}, 0.4);
  scene.detect(1, {0, 0, 10, 6}, 0.6);   // IoU 0.6
  scene.detect(2, {0, 0, 10, 10}, 0.9);  // another class
  const Matches matches = match(scene);
  expect(matches, 0, Outcome::kFalsePositive);
  expect(matches, 1, Outcome::kTruePositive, 0);
  expect(matches, 2, Outcome::kFalsePositive);
  EXPECT_EQ(matches.found_by, std::vector<uint32_t>{1});
  EXPECT_EQ(matches.positives, (std::vector<int64_t>{1, 0}));
}

TEST(Matches, AnOverlapOfExactlyTheThresholdMatches) {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.detect(1, {0, 0, 10, 5}, 0.5);
  expect(match(scene), 0, Outcome::kTruePositive, 0);
  expect(match(scene, {.iou = 0.51}), 0, Outcome::kFalsePositive);
}

// A crowd of one class says nothing about another class.
TEST(Matches, DetectionsInACrowdAreIgnored) {
  Scene scene;
  scene.box(1, {0, 0, 100, 100}, true);
  scene.detect(1, {0, 0, 10, 10}, 0.9);
  scene.detect(1, {95, 0, 10, 10}, 0.8);  // half of it inside
  scene.detect(1, {96, 0, 10, 10}, 0.7);
  scene.detect(2, {0, 0, 10, 10}, 0.6);
  const Matches matches = match(scene);
  expect(matches, 0, Outcome::kIgnored, 0);
  expect(matches, 1, Outcome::kIgnored, 0);
  expect(matches, 2, Outcome::kFalsePositive);
  expect(matches, 3, Outcome::kFalsePositive);
  EXPECT_EQ(matches.positives, (std::vector<int64_t>{0, 0}));
}

TEST(Matches, OnlyTheBestOfAnImageAndClassCount) {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.detect(1, {0, 0, 10, 10}, 0.1);
  scene.detect(1, {50, 0, 10, 10}, 0.3);
  scene.detect(1, {50, 0, 10, 10}, 0.2);
  scene.detect(1, {50, 0, 10, 10}, 0.1, 2);
  scene.detect(2, {0, 0, 10, 10}, 0.1);
  const Matches matches = match(scene, {.detection_limit = 2});
  expect(matches, 0, Outcome::kNotCounted);
  expect(matches, 1, Outcome::kFalsePositive);
  expect(matches, 2, Outcome::kFalsePositive);
  expect(matches, 3, Outcome::kFalsePositive);
  expect(matches, 4, Outcome::kFalsePositive);
}

// As in pycocotools: an area above 1e10 is in none of its ranges.
TEST(Matches, BoxesWithAHugeAreaExcuseOneDetection) {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.truth.boxes[0].area = 2e10;
  scene.detect(1, {0, 0, 10, 10}, 0.9);
  scene.detect(1, {0, 0, 10, 10}, 0.8);
  const Matches matches = match(scene);
  expect(matches, 0, Outcome::kIgnored, 0);
  expect(matches, 1, Outcome::kFalsePositive);
}

TEST(Matches, AnImageThatIsListedTwiceIsOne) {
  Scene scene;
  scene.truth.image_ids = {5, 9, 5, 2, 9, 7};
  for (const int64_t image : {7, 2, 9, 5}) scene.box(1, {0, 0, 10, 10}, false, image);
  const Inputs in = make_inputs(scene.truth, {});
  EXPECT_EQ(in.images, 4U);
  EXPECT_EQ(in.box_image, (std::vector<uint32_t>{3, 2, 1, 0}));
}

TEST(Matches, UnknownCategoriesAreNotCounted) {
  Scene scene;
  scene.box(7, {0, 0, 10, 10});
  scene.detect(7, {0, 0, 10, 10}, 0.9);
  const Matches matches = match(scene);
  expect(matches, 0, Outcome::kNotCounted);
  EXPECT_EQ(matches.box_counts, std::vector<uint8_t>{0});
}

TEST(Matches, BadInputIsNamed) {
  Scene scene;
  scene.detect(1, {0, 0, 10, 10}, 0.9, 77);
  EXPECT_TRUE(raises(ErrorCode::kDataMismatch, [&] { match(scene); }, "77"));
  scene.detections.clear();
  scene.box(1, {0, 0, std::numeric_limits<double>::quiet_NaN(), 10}, false, 2);
  EXPECT_TRUE(raises(ErrorCode::kRecordInvalid, [&] { match(scene); }, "annotation 1", "image 2"));
}

}  // namespace
}  // namespace dfine
