#pragma once
// Ground truths and detections brought together by (category, image): the unit in which matching
// is done.
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_types.h"

namespace dfine::inline analysis {

/// Ranges of Groups::boxes and ::detections.
struct Group {
  uint32_t box_begin, box_end;
  uint32_t detection_begin, detection_end;
};

struct Groups {
  std::vector<Category> categories;  // ascending by id, each once
  std::vector<uint32_t>
      boxes;  // indices into the ground truth's boxes: by category, then image id, then as given
  std::vector<uint32_t> detections;      // indices into the detections, in the same order
  std::vector<Group> groups;             // only those with a box or a detection, in the same order
  std::vector<uint32_t> category_begin;  // [K + 1], into groups
};

/// Throws Error on detections on images that `truth` does not list (it names them) and on
/// detections that are not finite.
Groups group_by_category_and_image(const GroundTruth& truth, std::span<const Detection> detections);

}  // namespace dfine::inline analysis
