#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/shards/dataset.h"
#include "image/image.h"
#include "metrics/coco_types.h"

namespace dfine::inline run {

/// The first `count` images with their boxes, at most 640 pixels high or wide each. On the left are
/// those of the annotations, on the right the detections with a score of 0.3 or more.
std::vector<Image> validation_pictures(const PackedDataset& dataset,
                                       std::span<const Detection> detections, size_t count);

}  // namespace dfine::inline run
