#include "metrics/coco_eval.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "metrics/coco_curve.h"
#include "metrics/coco_groups.h"
#include "metrics/coco_match.h"

namespace dfine::inline metrics {
using enum ErrorCode;
namespace {

void check_boxes(const std::vector<GroundTruthBox>& boxes) {
  std::vector<int64_t> ids;
  ids.reserve(boxes.size());
  for (const auto& box : boxes) {
    if (!std::isfinite(box.area) ||
        !std::all_of(box.xywh.begin(), box.xywh.end(), [](double v) { return std::isfinite(v); })) {
      throw Error(kRecordInvalid,
                  str_cat("annotation ", box.annotation_id, " on image ", box.image_id,
                          " has a box or an area that is not finite"));
    }
    ids.push_back(box.annotation_id);
  }
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end())
    throw Error(kRecordInvalid, str_cat("two annotations have the id ", *twice),
                "annotation ids must be unique");
}

void warn_of_oddities(const CocoEvaluation& result) {
  if (result.detections_left_out > 0) {
    log::warn(str_cat(result.detections_left_out, " of ", result.num_detections,
                      " detections are dropped: the ground truth does not list their category"));
  }
  if (result.boxes_left_out > 0) {
    log::warn(str_cat(result.boxes_left_out,
                      " annotations are dropped: their image or category is not listed"));
  }
  if (result.boxes_with_id_zero > 0) {
    log::warn(
        "an annotation has the id 0: as in pycocotools, whatever matches it counts as a false "
        "positive (ids from 1 avoid this)");
  }
}

class Evaluator {
 public:
  Evaluator(const GroundTruth& truth, std::span<const Detection> detections, int threads)
      : truth_(truth),
        detections_(detections),
        groups_(group_by_category_and_image(truth, detections)),
        pool_(threads > 1 ? threads : 0) {}

  CocoEvaluation run() {
    CocoEvaluation result;
    result.categories = groups_.categories;
    result.num_images = groups_.num_images;
    result.num_detections = static_cast<int64_t>(detections_.size());
    result.detections_left_out = groups_.detections_left_out;
    result.boxes_left_out = groups_.boxes_left_out;
    for (const auto& box : truth_.boxes)
      result.boxes_with_id_zero += box.annotation_id == 0 ? 1 : 0;

    outcomes_.resize(groups_.num_outcomes);
    constexpr size_t kGroupsAtOnce = 512;
    parallel_ranges(pool_, groups_.groups.size(), kGroupsAtOnce,
                    [this](size_t first, size_t last) { match(first, last); });

    const size_t categories = result.categories.size(),
                 curves = categories * kCocoAreas * kCocoLimits * kCocoIous;
    result.recall.assign(curves, -1);
    result.precision.assign(curves * kCocoRecalls, -1);
    result.scores.assign(curves * kCocoRecalls, -1);
    result.boxes.assign(categories, 0);
    parallel_ranges(pool_, categories, 1,
                    [this, &result](size_t category, size_t) { accumulate(category, result); });
    return result;
  }

 private:
  void match(size_t first, size_t last) {
    CocoMatcher matcher;
    for (size_t i = first; i < last; ++i) {
      const CocoGroup& g = groups_.groups[i];
      matcher.match(truth_.boxes,
                    std::span(groups_.boxes).subspan(g.box_begin, g.box_end - g.box_begin),
                    detections_,
                    std::span(groups_.detections)
                        .subspan(g.detection_begin, g.detection_end - g.detection_begin),
                    std::span(outcomes_).subspan(g.outcome_begin, g.outcome_end - g.outcome_begin));
    }
  }

  /// Counting ground truths of the category in each area range.
  std::array<int64_t, kCocoAreas> count_positives(std::span<const CocoGroup> groups) const {
    std::array<int64_t, kCocoAreas> positives{};
    for (uint32_t i = groups.front().box_begin; i < groups.back().box_end; ++i) {
      const GroundTruthBox& box = truth_.boxes[groups_.boxes[i]];
      for (size_t a = 0; a < kCocoAreas; ++a)
        positives[a] += !box.iscrowd && kCocoAreaRanges[a].contains(box.area) ? 1 : 0;
    }
    return positives;
  }

  void accumulate(size_t category, CocoEvaluation& result) const {
    const uint32_t begin = groups_.category_begin[category],
                   end = groups_.category_begin[category + 1];
    if (begin == end) return;
    const auto groups = std::span(groups_.groups).subspan(begin, end - begin);
    const auto positives = count_positives(groups);
    result.boxes[category] = positives[kAreaAll];
    std::vector<MatchOutcome> sorted;
    const uint32_t first = groups.front().outcome_begin;
    sort_by_score(std::span(outcomes_).subspan(first, groups.back().outcome_end - first), sorted);
    CurveBuilder builder;
    for (size_t a = 0; a < kCocoAreas; ++a) {
      if (positives[a] == 0) continue;
      for (size_t m = 0; m < kCocoLimits; ++m) {
        const size_t recall = result.recall_index(category, a, m, 0),
                     curve = result.curve_index(category, a, m, 0);
        constexpr size_t kCurves = kCocoIous * kCocoRecalls;
        builder.build(sorted, a, m, positives[a],
                      {.recall = std::span(result.recall).subspan(recall, kCocoIous),
                       .precision = std::span(result.precision).subspan(curve, kCurves),
                       .scores = std::span(result.scores).subspan(curve, kCurves)});
      }
    }
  }

  const GroundTruth& truth_;
  std::span<const Detection> detections_;
  CocoGroups groups_;
  std::vector<MatchOutcome> outcomes_;
  ThreadPool pool_;
};

}  // namespace

CocoEvaluation evaluate_coco(const GroundTruth& truth, std::span<const Detection> detections,
                             int threads) {
  check_boxes(truth.boxes);
  if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  CocoEvaluation result = Evaluator(truth, detections, threads).run();
  warn_of_oddities(result);
  return result;
}

}  // namespace dfine::inline metrics
