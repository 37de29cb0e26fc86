#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "boxes/scored_box.h"

namespace dfine::inline boxes {

/// Non-maximum suppression within each class, by descending score, equal scores in the order given.
/// A box is dropped if its IoU with a kept box of its class is above `iou_threshold`. Returns the
/// places of the kept boxes in that order. They are those of torchvision.ops.batched_nms on a CPU.
/// Each box is compared with the kept ones of its class.
std::vector<size_t> nms(std::span<const ScoredBox> boxes, double iou_threshold);

}  // namespace dfine::inline boxes
