#pragma once
// Ground truths and detections brought together by (category, image): the unit in which COCO
// evaluation matches.
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// Ranges of CocoGroups::boxes, ::detections and of the outcomes of matching (one for each
/// detection that is kept).
struct CocoGroup {
  uint32_t box_begin, box_end;
  uint32_t detection_begin, detection_end;
  uint32_t outcome_begin, outcome_end;
};

struct CocoGroups {
  std::vector<Category> categories;  // ascending by id, each once
  std::vector<uint32_t>
      boxes;  // indices into the ground truth's boxes: by category, then image id, then as given
  std::vector<uint32_t> detections;      // indices into the detections, in the same order
  std::vector<CocoGroup> groups;         // only those with a box or a detection, in the same order
  std::vector<uint32_t> category_begin;  // [K + 1], into groups
  uint32_t num_outcomes = 0;
  int64_t num_images = 0;
  int64_t boxes_left_out = 0;       // on unknown images or of unknown categories
  int64_t detections_left_out = 0;  // of unknown categories
};

/// Throws Error on detections on images that `truth` does not list (it names them) and on
/// detections that are not finite.
CocoGroups group_by_category_and_image(const GroundTruth& truth,
                                       std::span<const Detection> detections);

}  // namespace dfine::inline metrics
