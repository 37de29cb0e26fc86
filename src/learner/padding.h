#pragma once
// Padding that gives steps of different boxes the same operations on the same shapes. On a GPU the
// memory of one step then fits the next one, and a CUDA graph can hold the step.
#include <cstdint>

#include "model/dfine.h"
#include "targets.h"

namespace dfine::inline learner {

/// Boxes of one image that a batch is padded to: 100 for up to 100, then 200, 300, ...
int64_t padded_boxes(int64_t most_boxes);

/// `targets`, in host memory, with rows for `boxes_per_image` boxes of each image. The padding has
/// class 0. `pin_memory`: for a copy to a GPU that the host does not wait for.
Targets pad(const Targets& targets, int64_t boxes_per_image, bool pin_memory);

/// The layout for images of up to `boxes_per_image` boxes: 200 queries for 100 boxes and the
/// official num_denoising, 100. Without denoising `meta` comes back as it is.
DenoisingMeta pad(DenoisingMeta meta, const ModelSpec& spec, int64_t boxes_per_image);

}  // namespace dfine::inline learner
