#pragma once
// Ground truth of one batch on one rank.
#include <cstdint>
#include <numeric>
#include <vector>

#include "tensor.h"

namespace dfine {

/// T boxes, of B images one after another. Padded ones have T = B * boxes_per_image rows, of which
/// only the first num_boxes() are boxes.
struct Targets {
  Tensor labels;                // int64 [T], 0..C-1
  Tensor boxes;                 // float [T, 4], cx cy w h in [0, 1]
  std::vector<int64_t> counts;  // [B], boxes of each image
  int64_t boxes_per_image = 0;  // what the rows are padded for; 0: not padded

  int64_t num_images() const { return static_cast<int64_t>(counts.size()); }
  int64_t num_boxes() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }
  bool padded() const { return boxes_per_image > 0; }
};

}  // namespace dfine
