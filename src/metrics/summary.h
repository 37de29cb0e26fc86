#pragma once
// The 12 COCO metrics and average precision by class, as numbers, as text and as JSON.
#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/coco_eval.h"

namespace dfine::inline metrics {

/// In [0, 1]; -1 where no ground truth counts. Equal to pycocotools' COCOeval.stats to the last
/// bit.
struct CocoSummary {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;

  /// Names and values in pycocotools' order.
  std::array<std::pair<std::string_view, double>, 12> metrics() const;
};

/// One class: the same means over that class alone (all sizes, 100 detections).
struct CocoClassSummary {
  Category category;
  int64_t boxes = 0;  // counting ground truths
  double ap = -1, ap50 = -1;
};

CocoSummary summarize(const CocoEvaluation& evaluation);
/// In ascending order of category id.
std::vector<CocoClassSummary> summarize_classes(const CocoEvaluation& evaluation);

/// 12 lines, with IoU, area and number of detections as pycocotools' summarize() shows them; "-"
/// for -1.
std::string format_summary(const CocoSummary& summary);
/// A table: category id, name, boxes, AP, AP50.
std::string format_classes(const std::vector<CocoClassSummary>& classes);

/// {"ap": .., ..., "ar_large": .., "classes": [{"category_id", "name", "boxes", "ap", "ap50"},
/// ...]}; numbers read back exactly.
nlohmann::ordered_json to_json(const CocoSummary& summary,
                               const std::vector<CocoClassSummary>& classes);

}  // namespace dfine::inline metrics
