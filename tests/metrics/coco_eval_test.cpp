// Cases whose metrics follow on paper from the definition of the metric. The comparison with
// pycocotools stands in pycocotools_test.py.
#include "metrics/coco_eval.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/random.h"
#include "metrics/summary.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Box = std::array<double, 4>;

/// One image (id 7) and one category (id 3) unless the test adds more.
GroundTruth truth_of(const std::vector<Box>& boxes) {
  GroundTruth truth{.image_ids = {7}, .categories = {{3, "cell"}}, .boxes = {}};
  for (const Box& box : boxes) {
    truth.boxes.push_back({.image_id = 7,
                           .category_id = 3,
                           .annotation_id = static_cast<int64_t>(truth.boxes.size()) + 1,
                           .xywh = box,
                           .area = box[2] * box[3],
                           .iscrowd = false});
  }
  return truth;
}

Detection detection(const Box& box, double score) {
  return {.image_id = 7, .category_id = 3, .xywh = box, .score = score};
}

CocoSummary summary_of(const GroundTruth& truth, const std::vector<Detection>& detections) {
  return summarize(evaluate_coco(truth, detections, 1));
}

Caught error_of(const GroundTruth& truth, const std::vector<Detection>& detections) {
  return catch_error([&] { evaluate_coco(truth, detections, 1); });
}

constexpr Box kBox{100, 100, 50, 40};   // area 2000: medium
constexpr Box kFar{400, 300, 50, 40};   // overlaps nothing
constexpr Box kHalf{100, 100, 50, 20};  // IoU with kBox exactly 1/2

TEST(CocoEval, PerfectDetection) {
  const CocoSummary s = summary_of(truth_of({kBox}), {detection(kBox, 0.9)});
  for (const double value :
       {s.ap, s.ap50, s.ap75, s.ap_medium, s.ar1, s.ar10, s.ar100, s.ar_medium})
    EXPECT_DOUBLE_EQ(value, 1);
  for (const double value : {s.ap_small, s.ap_large, s.ar_small, s.ar_large})
    EXPECT_EQ(value, -1) << "nothing of this size";
}

TEST(CocoEval, FalsePositiveAboveAndMissedBox) {
  // Precision 1/2 up to recall 1/2 (51 of the 101 recalls), 0 beyond.
  const CocoSummary s =
      summary_of(truth_of({kBox, kFar}), {detection({10, 10, 50, 40}, 0.9), detection(kBox, 0.8)});
  EXPECT_DOUBLE_EQ(s.ap50, 51 * 0.5 / 101);
  EXPECT_DOUBLE_EQ(s.ar100, 0.5);
  EXPECT_EQ(s.ar1, 0) << "the best detection is the false one";
}

TEST(CocoEval, PrecisionIsTheBestAtThatRecallOrBeyond) {
  // Hits at ranks 1, 3 and 4 of three boxes: precision 1, 2/3, 3/4; the envelope raises 2/3 to 3/4.
  const Box third{200, 300, 50, 40};
  const CocoSummary s = summary_of(truth_of({kBox, kFar, third}),
                                   {detection(kBox, 0.9), detection({10, 10, 50, 40}, 0.8),
                                    detection(kFar, 0.7), detection(third, 0.6)});
  EXPECT_DOUBLE_EQ(s.ap50, (34 + 67 * 0.75) / 101);  // recalls 0.00 to 0.33, then 0.34 to 1.00
}

TEST(CocoEval, OverlapEqualToTheThresholdMatches) {
  const auto e = evaluate_coco(truth_of({kBox}), std::vector{detection(kHalf, 0.9)}, 1);
  const size_t largest = 2;
  EXPECT_EQ(e.recall[e.recall_index(0, kAreaAll, largest, 0)], 1) << "IoU 0.50";
  EXPECT_EQ(e.recall[e.recall_index(0, kAreaAll, largest, 1)], 0) << "IoU 0.55";
}

TEST(CocoEval, SecondMatchOfABoxIsFalse) {
  const CocoSummary s = summary_of(
      truth_of({kBox, kFar}), {detection(kBox, 0.9), detection(kBox, 0.8), detection(kFar, 0.7)});
  EXPECT_DOUBLE_EQ(s.ap50, (51 + 50 * 2.0 / 3) / 101);
}

TEST(CocoEval, AreaRangesIncludeBothEnds) {
  GroundTruth truth = truth_of({kBox});
  truth.boxes[0].area = 1024;  // the mask's: the box itself has 2000
  const CocoSummary s = summary_of(truth, {detection(kBox, 0.9)});
  EXPECT_DOUBLE_EQ(s.ap_small, 1);
  EXPECT_DOUBLE_EQ(s.ap_medium, 1);
  EXPECT_EQ(s.ap_large, -1);
}

TEST(CocoEval, UnmatchedDetectionOfAnotherSizeDoesNotCount) {
  // The false detection is large: it harms the mean over all sizes, not that of medium boxes.
  const CocoSummary s =
      summary_of(truth_of({kBox}), {detection({200, 200, 200, 200}, 0.9), detection(kBox, 0.8)});
  EXPECT_DOUBLE_EQ(s.ap_medium, 1);
  EXPECT_DOUBLE_EQ(s.ap, 0.5);
}

TEST(CocoEval, CrowdTakesAnyNumberOfDetections) {
  GroundTruth truth = truth_of({kBox, {300, 200, 200, 200}});
  truth.boxes[1].iscrowd = true;
  // Each lies within the crowd region: intersection over its own area is 1, and it does not count.
  const CocoSummary s =
      summary_of(truth, {detection({310, 210, 30, 30}, 0.9), detection({350, 250, 30, 30}, 0.8),
                         detection(kBox, 0.7)});
  EXPECT_DOUBLE_EQ(s.ap, 1);
  EXPECT_EQ(summary_of(truth, {}).ap, 0);
}

TEST(CocoEval, AnnotationIdZeroCannotBeFound) {
  GroundTruth truth = truth_of({kBox});
  truth.boxes[0].annotation_id = 0;
  const auto e = evaluate_coco(truth, std::vector{detection(kBox, 0.9)}, 1);
  EXPECT_EQ(summarize(e).ap, 0);
  EXPECT_EQ(e.boxes_with_id_zero, 1);
}

TEST(CocoEval, EqualScoresKeepTheOrderOfImages) {
  // The same score on two images; image 2 holds the box. With the image ids exchanged the hit comes
  // first.
  const auto ap50 = [](int64_t with_box, int64_t without) {
    GroundTruth truth{.image_ids = {with_box, without}, .categories = {{1, "a"}}, .boxes = {}};
    truth.boxes.push_back({.image_id = with_box,
                           .category_id = 1,
                           .annotation_id = 1,
                           .xywh = kBox,
                           .area = 2000,
                           .iscrowd = false});
    return summary_of(truth, {{with_box, 1, kBox, 0.5}, {without, 1, kBox, 0.5}}).ap50;
  };
  EXPECT_DOUBLE_EQ(ap50(2, 1), 0.5);
  EXPECT_DOUBLE_EQ(ap50(1, 2), 1);
}

TEST(CocoEval, AtMostHundredDetectionsOfAnImage) {
  std::vector<Detection> detections;
  for (int i = 0; i < 100; ++i) detections.push_back(detection(kFar, 0.9));
  detections.push_back(detection(kBox, 0.8));
  EXPECT_EQ(summary_of(truth_of({kBox}), detections).ar100, 0);
  detections.erase(detections.begin());
  EXPECT_EQ(summary_of(truth_of({kBox}), detections).ar100, 1);
  EXPECT_EQ(summary_of(truth_of({kBox}), detections).ar10, 0);
}

TEST(CocoEval, CategoriesWithoutBoxesLeaveTheMean) {
  GroundTruth truth = truth_of({kBox});
  truth.categories.push_back({1, "absent"});
  const auto e =
      evaluate_coco(truth, std::vector{detection(kBox, 0.9), Detection{7, 1, kFar, 0.9}}, 1);
  EXPECT_DOUBLE_EQ(summarize(e).ap, 1);
  const auto classes = summarize_classes(e);
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[0].category.name, "absent");
  EXPECT_EQ(classes[0].ap, -1);
  EXPECT_EQ(classes[0].boxes, 0);
  EXPECT_DOUBLE_EQ(classes[1].ap50, 1);
  EXPECT_EQ(classes[1].boxes, 1);
}

TEST(CocoEval, CountsWhatIsLeftOut) {
  GroundTruth truth = truth_of({kBox, kFar});
  truth.boxes[1].category_id = 99;
  const auto e =
      evaluate_coco(truth, std::vector{detection(kBox, 0.9), Detection{7, 99, kFar, 0.9}}, 1);
  EXPECT_EQ(e.boxes_left_out, 1);
  EXPECT_EQ(e.detections_left_out, 1);
  EXPECT_EQ(e.num_detections, 2);
  EXPECT_DOUBLE_EQ(summarize(e).ap, 1);
}

TEST(CocoEval, NothingAtAll) {
  const auto e = evaluate_coco({}, {}, 1);
  EXPECT_TRUE(e.precision.empty());
  for (const auto& [name, value] : summarize(e).metrics()) EXPECT_EQ(value, -1) << name;
  EXPECT_TRUE(summarize_classes(e).empty());
}

TEST(CocoEval, UnknownImagesAreNamed) {
  std::vector<Detection> detections{detection(kBox, 0.9)};
  for (const int64_t id : {12, 11, 16, 13, 14, 15, 11}) detections.push_back({id, 3, kBox, 0.5});
  EXPECT_TRUE(error_of(truth_of({kBox}), detections)
                  .is(kDataMismatch, "7 of 8", "11, 12, 13, 14, 15", "1 more"));
  std::erase_if(detections, [](const Detection& d) { return d.image_id == 16; });
  EXPECT_TRUE(error_of(truth_of({kBox}), detections)
                  .is(kDataMismatch, "11, 12, 13, 14, 15 [data_mismatch]\n"));
}

TEST(CocoEval, RefusesValuesThatAreNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(error_of(truth_of({kBox}), {detection(kBox, 0.9), detection(kBox, nan)})
                  .is(kNotFinite, "detection 1", "image 7"));
  EXPECT_TRUE(error_of(truth_of({kBox}), {detection({1, 2, infinity, 4}, 0.9)})
                  .is(kNotFinite, "0.9", "[1, 2, inf, 4]"));
  GroundTruth truth = truth_of({kBox});
  truth.boxes[0].area = nan;
  EXPECT_TRUE(error_of(truth, {}).is(kRecordInvalid, "annotation 1", "image 7"));
}

TEST(CocoEval, RefusesTheSameAnnotationIdTwice) {
  GroundTruth truth = truth_of({kBox, kFar});
  truth.boxes[1].annotation_id = 1;
  EXPECT_TRUE(error_of(truth, {}).is(kRecordInvalid, "1"));
}

TEST(CocoEval, ClassesMayCountAsOne) {
  GroundTruth truth = truth_of({kBox, kFar});
  truth.categories.push_back({4, "other"});
  truth.boxes[1].category_id = 4;
  // Both boxes are found, with each other's class.
  const std::vector<Detection> detections{{7, 4, kBox, 0.9}, {7, 3, kFar, 0.8}};
  EXPECT_EQ(summary_of(truth, detections).ap, 0);
  CocoParams params;
  params.by_category = false;
  const auto e = evaluate_coco(truth, detections, 1, params);
  EXPECT_DOUBLE_EQ(summarize(e).ap, 1);
  ASSERT_EQ(e.categories.size(), 1U);
  EXPECT_EQ(e.boxes, std::vector<int64_t>{2});
  EXPECT_EQ(e.images, std::vector<int64_t>{1});
  EXPECT_EQ(e.detections, std::vector<int64_t>{2});
}

TEST(CocoEval, RefusesSettingsOfNoSense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto error = [](const std::vector<double>& ious, const std::vector<size_t>& limits) {
    CocoParams params;
    params.ious = ious;
    params.limits = limits;
    return catch_error([&] { evaluate_coco({}, {}, 1, params); });
  };
  for (const auto& ious : std::vector<std::vector<double>>{
           {}, {0}, {-0.5}, {1.01}, {nan}, {0.5, 0.75, 0.5}, std::vector<double>(33, 0.5)})
    EXPECT_TRUE(error(ious, {100}).is(kBadValue, "IoU"));
  for (const auto& limits : std::vector<std::vector<size_t>>{{}, {0, 1}, {10, 1}, {10, 10}})
    EXPECT_TRUE(error({0.5}, limits).is(kBadValue, "detections"));
}

TEST(CocoEval, ThreadsChangeNothing) {
  CounterRandom random(1, Stream::kTest, 0);
  GroundTruth truth{.image_ids = {}, .categories = {{1, "a"}, {2, "b"}, {3, "c"}}, .boxes = {}};
  std::vector<Detection> detections;
  for (int64_t image = 0; image < 900; ++image) {
    truth.image_ids.push_back(image);
    for (int i = 0; i < 4; ++i) {
      const Box box{random.uniform_double() * 500, random.uniform_double() * 400,
                    20 + random.uniform_double() * 80, 20 + random.uniform_double() * 80};
      const auto category = static_cast<int64_t>(random.below(3)) + 1;
      truth.boxes.push_back({image, category, static_cast<int64_t>(truth.boxes.size()) + 1, box,
                             box[2] * box[3], false});
      detections.push_back({image,
                            category,
                            {box[0] + random.uniform_double() * 20, box[1], box[2], box[3]},
                            random.uniform_double()});
    }
  }
  const auto one = evaluate_coco(truth, detections, 1);
  EXPECT_GT(summarize(one).ap, 0.1);
  for (const int threads : {2, 5}) {
    const auto many = evaluate_coco(truth, detections, threads);
    EXPECT_EQ(one.precision, many.precision);
    EXPECT_EQ(one.scores, many.scores);
    EXPECT_EQ(one.recall, many.recall);
  }
}

}  // namespace
}  // namespace dfine
