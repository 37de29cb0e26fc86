#pragma once
#include <string>
#include <vector>

#include "metrics/coco_params.h"

namespace dfine::inline scoring {

/// Of --iou-thresholds (numbers, or FIRST:LAST:STEP with both ends), --max-dets (in any order) and
/// --class-agnostic. Empty lists: COCO's own. Throws UsageError.
CocoParams parse_eval_settings(const std::vector<std::string>& iou_thresholds,
                               std::vector<size_t> max_dets, bool class_agnostic);

}  // namespace dfine::inline scoring
