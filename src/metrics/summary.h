#pragma once
// The COCO metrics and those of each class, as numbers, as text and as JSON.
#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/coco_eval.h"

namespace dfine::inline metrics {

/// COCO's 12, in [0, 1]; -1 where no ground truth counts. Equal to pycocotools' COCOeval.stats to
/// the last bit. With settings other than COCO's, a metric whose IoU threshold or limit was not
/// evaluated is -1; list_metrics() has what was.
struct CocoSummary {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;

  /// Names and values in pycocotools' order.
  std::array<std::pair<std::string_view, double>, 12> metrics() const;
};

/// A metric, and what it is a mean of.
struct CocoMetric {
  std::string name;  // "ap50"
  bool is_precision;
  std::string iou;   // "0.50:0.95", "0.50"
  const char* area;  // "all"
  size_t limit;      // of detections of one image and category
  double value;
};

/// One class: means over that class alone, all sizes, with the largest limit of detections.
struct CocoClassSummary {
  Category category;
  int64_t boxes = 0;  // counting ground truths
  double ap = -1, ap50 = -1;
  double ap75 = -1, ar = -1;
  int64_t images = 0;      // that have such a ground truth
  int64_t detections = 0;  // given
};

/// The metrics for the settings of `evaluation`: pycocotools' 12 for COCO's own. AP has the largest
/// limit of detections, which pycocotools' summarize() takes only where that is 100 and the third.
/// AR is there once for each limit, and by area for the largest. With other IoU thresholds than
/// COCO's there is an AP for each of them too.
std::vector<CocoMetric> list_metrics(const CocoEvaluation& evaluation);
CocoSummary summarize(const CocoEvaluation& evaluation);
/// In ascending order of category id.
std::vector<CocoClassSummary> summarize_classes(const CocoEvaluation& evaluation);

/// A line for each, with IoU, area and number of detections as pycocotools' summarize() shows them;
/// "-" for -1.
std::string format_metrics(const std::vector<CocoMetric>& metrics);
std::string format_summary(const CocoSummary& summary);
/// A table: category id, name, images, boxes, detections, AP, AP50, AP75 and AR with `limit`, the
/// largest, in its title.
std::string format_classes(const std::vector<CocoClassSummary>& classes, size_t limit = 100);

/// {"ap": .., ..., "ar_large": .., "classes": [{"category_id", "name", "boxes", "ap", "ap50",
/// "ap75", "ar", "images", "detections"}, ...]}; numbers read back exactly.
nlohmann::ordered_json to_json(const CocoSummary& summary,
                               const std::vector<CocoClassSummary>& classes);
/// The same with the metrics of list_metrics(), and with the settings: "iou_thresholds",
/// "max_dets", "class_agnostic".
nlohmann::ordered_json to_json(const CocoParams& params, const std::vector<CocoMetric>& metrics,
                               const std::vector<CocoClassSummary>& classes);

}  // namespace dfine::inline metrics
