#pragma once
// Ground truth for the distributions of box edges (D-FINE, section 4.1): where an edge lies between two bins.
#include "tensor.h"

namespace dfine {

/// [reg_max + 1] offsets of the bins, ascending, in units of the reference box's size / reg_scale; W(n) of the paper. The spacing grows
/// geometrically from the middle to +-up * reg_scale, and the outermost bins lie at twice that. up, reg_scale: [1] tensors.
Tensor bin_offsets(const Tensor& up, const Tensor& reg_scale, int64_t reg_max);

/// Left, top, right and bottom edges of K boxes.
struct EdgeTargets {
  Tensor left_bin;  // int64 [K, 4], 0..reg_max - 1
  Tensor
      right_share;  // [K, 4] in [0, 1]: share of bin left_bin + 1; the rest is left_bin's. An edge outside of all bins gets the outermost.
};

/// Targets that move the references' edges onto the boxes'. refs: [K, 4] cx cy w h; boxes: [K, 4] cx cy w h (negative sizes count as 0);
/// bins: from bin_offsets.
EdgeTargets edge_targets(const Tensor& refs, const Tensor& boxes, const Tensor& bins, const Tensor& reg_scale);

}  // namespace dfine
