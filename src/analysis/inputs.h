#pragma once
// Ground truth and detections, with the image and the class of each as small numbers.
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "metrics/coco_groups.h"
#include "metrics/coco_types.h"

namespace dfine::inline analysis {

/// No box, no detection, no class.
inline constexpr uint32_t kNoIndex = std::numeric_limits<uint32_t>::max();

/// Keeps references: the ground truth and the detections must outlive it. A class is a place in
/// groups.categories, an image a place among the distinct ids of truth.image_ids, in that order.
struct Inputs {
  const GroundTruth& truth;
  std::span<const Detection> detections;
  CocoGroups groups;
  uint32_t images = 0;
  // By box and by detection; kNoIndex for what COCO evaluation drops. These are boxes on
  // images or of categories that are not listed, and detections of such categories.
  std::vector<uint32_t> box_image, box_class;
  std::vector<uint32_t> detection_image, detection_class;

  uint32_t classes() const { return static_cast<uint32_t>(groups.categories.size()); }
};

/// Throws Error where evaluate_coco() does: detections on unknown images, values that are not
/// finite.
Inputs make_inputs(const GroundTruth& truth, std::span<const Detection> detections);

}  // namespace dfine::inline analysis
