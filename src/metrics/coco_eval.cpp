#include "metrics/coco_eval.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "metrics/coco_curve.h"
#include "metrics/coco_match.h"
#include "metrics/coco_records.h"

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

/// Some images of one category.
struct MatchTask {
  std::span<const BoxRecord> boxes;
  std::span<const DetectionRecord> detections;
};

template <class Record>
std::span<const Record> of_category(const std::vector<Record>& all,
                                    const std::vector<uint32_t>& begin, size_t category) {
  return std::span(all).subspan(begin[category], begin[category + 1] - begin[category]);
}

/// Place of the first of `records` on an image after `image`.
template <class Record>
size_t after_image(std::span<const Record> records, uint32_t image) {
  const auto end = std::ranges::upper_bound(records, image, {}, &Record::image);
  return static_cast<size_t>(end - records.begin());
}

class Evaluator {
 public:
  Evaluator(const GroundTruth& truth, std::span<const Detection> detections, int threads,
            const CocoParams& params)
      : truth_(truth),
        params_(params),
        pool_(threads > 1 ? threads : 0),
        records_(coco_records(truth, detections, params.by_category, pool_)) {}

  CocoEvaluation run() {
    match();
    CocoEvaluation result;
    result.params = params_;
    result.categories = records_.categories;
    result.num_images = records_.num_images;
    result.detections_left_out = records_.detections_left_out;
    result.boxes_left_out = records_.boxes_left_out;
    for (const auto& box : truth_.boxes)
      result.boxes_with_id_zero += box.annotation_id == 0 ? 1 : 0;

    const size_t categories = result.categories.size();
    result.recall.assign(result.recall_index(categories, 0, 0, 0), -1);
    result.precision.assign(result.curve_index(categories, 0, 0, 0), -1);
    result.scores.assign(result.curve_index(categories, 0, 0, 0), -1);
    result.boxes.assign(categories, 0);
    result.images.assign(categories, 0);
    result.detections.assign(categories, 0);
    parallel_ranges(pool_, categories, 1,
                    [this, &result](size_t category, size_t) { accumulate(category, result); });
    return result;
  }

 private:
  void match() {
    constexpr size_t kDetectionsAtOnce = 2048;
    for (size_t k = 0; k < records_.categories.size(); ++k) {
      auto boxes = of_category(records_.boxes, records_.box_begin, k);
      auto detections = of_category(records_.detections, records_.detection_begin, k);
      task_begin_.push_back(tasks_.size());
      while (!detections.empty()) {
        const uint32_t last = detections[std::min(kDetectionsAtOnce, detections.size()) - 1].image;
        const size_t d = after_image(detections, last), b = after_image(boxes, last);
        tasks_.push_back({.boxes = boxes.first(b), .detections = detections.first(d)});
        detections = detections.subspan(d);
        boxes = boxes.subspan(b);
      }
    }
    task_begin_.push_back(tasks_.size());
    outcomes_.resize(tasks_.size());
    parallel_ranges(pool_, tasks_.size(), 4, [this](size_t first, size_t last) {
      CocoMatcher matcher(params_);
      for (size_t i = first; i < last; ++i) match(matcher, tasks_[i], outcomes_[i]);
    });
  }

  void match(CocoMatcher& matcher, MatchTask task, MatchOutcomes& out) const {
    out.list.reserve(task.detections.size());
    while (!task.detections.empty()) {
      const uint32_t image = task.detections.front().image;
      size_t before = 0, boxes = 0, detections = 1;
      while (before < task.boxes.size() && task.boxes[before].image < image) ++before;
      task.boxes = task.boxes.subspan(before);
      while (boxes < task.boxes.size() && task.boxes[boxes].image == image) ++boxes;
      while (detections < task.detections.size() && task.detections[detections].image == image)
        ++detections;
      matcher.match(truth_.boxes, task.boxes.first(boxes), task.detections.first(detections), out);
      task.boxes = task.boxes.subspan(boxes);
      task.detections = task.detections.subspan(detections);
    }
  }

  void accumulate(size_t category, CocoEvaluation& result) const {
    const auto boxes = of_category(records_.boxes, records_.box_begin, category);
    std::array<int64_t, kCocoAreas> positives{};
    const BoxRecord* before = nullptr;
    for (const BoxRecord& record : boxes) {
      const GroundTruthBox& box = truth_.boxes[record.index];
      if (box.iscrowd) continue;
      for (size_t a = 0; a < kCocoAreas; ++a)
        positives[a] += kCocoAreaRanges[a].contains(box.area) ? 1 : 0;
      if (!kCocoAreaRanges[kAreaAll].contains(box.area)) continue;
      result.images[category] += before == nullptr || before->image != record.image ? 1 : 0;
      before = &record;
    }
    result.boxes[category] = positives[kAreaAll];
    result.detections[category] =
        records_.detection_begin[category + 1] - records_.detection_begin[category];
    CurveBuilder builder(
        params_, std::span(outcomes_).subspan(task_begin_[category],
                                              task_begin_[category + 1] - task_begin_[category]));
    const size_t ious = params_.ious.size(), curves = ious * kCocoRecalls;
    for (size_t a = 0; a < kCocoAreas; ++a) {
      if (positives[a] == 0) continue;
      builder.start_area(a, positives[a]);
      for (size_t m = 0; m < params_.limits.size(); ++m) {
        const size_t recall = result.recall_index(category, a, m, 0),
                     curve = result.curve_index(category, a, m, 0);
        builder.build(m, {.recall = std::span(result.recall).subspan(recall, ious),
                          .precision = std::span(result.precision).subspan(curve, curves),
                          .scores = std::span(result.scores).subspan(curve, curves)});
      }
    }
  }

  const GroundTruth& truth_;
  const CocoParams& params_;
  ThreadPool pool_;
  CocoRecords records_;
  std::vector<MatchTask> tasks_;         // by category, then image
  std::vector<size_t> task_begin_;       // [K + 1], into them
  std::vector<MatchOutcomes> outcomes_;  // of each task
};

}  // namespace

CocoEvaluation evaluate_coco(const GroundTruth& truth, std::span<const Detection> detections,
                             int threads, const CocoParams& params) {
  params.check();
  check_boxes(truth.boxes);
  if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  CocoEvaluation result = Evaluator(truth, detections, threads, params).run();
  result.num_detections = static_cast<int64_t>(detections.size());
  warn_of_oddities(result);
  return result;
}

}  // namespace dfine::inline metrics
