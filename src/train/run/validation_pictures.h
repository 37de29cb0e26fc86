#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/shards/dataset.h"
#include "image/image.h"
#include "metrics/coco_types.h"

namespace dfine::inline run {

/// The first `count` images with their boxes: on the left those of the annotations, on the right
/// the detections with a score of 0.3 or more. At most 640 pixels high or wide each.
std::vector<Image> validation_pictures(const PackedDataset& dataset,
                                       std::span<const Detection> detections, size_t count);

}  // namespace dfine::inline run
