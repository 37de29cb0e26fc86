#pragma once
// Ground truth of one batch on one rank.
#include <cstdint>
#include <vector>

#include "tensor.h"

namespace dfine {

struct Targets {
  Tensor labels;                // int64 [T], 0..C-1, the images' boxes one after another
  Tensor boxes;                 // float [T, 4], cx cy w h in [0, 1]
  std::vector<int64_t> counts;  // [B], boxes of each image; they sum to T

  int64_t num_images() const { return static_cast<int64_t>(counts.size()); }
  int64_t num_boxes() const { return labels.defined() ? labels.size(0) : 0; }
};

/// What a step must know of the whole batch over all ranks, so that it does not depend on how the
/// batch is split.
struct GlobalCounts {
  int64_t images = 0;     // images in the global batch
  int64_t boxes = 0;      // boxes in the global batch
  int64_t max_boxes = 0;  // most boxes in one image of the global batch
  int64_t without_denoising =
      0;  // boxes that have no denoising queries because their number is capped
};

}  // namespace dfine
