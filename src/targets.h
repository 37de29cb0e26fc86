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

}  // namespace dfine
