#pragma once
// Ground truth for the distributions of box edges (D-FINE, section 4.1): where an edge lies between
// two bins.
#include "tensor.h"

namespace dfine::inline loss {

/// Left, top, right and bottom edges of K boxes.
struct EdgeTargets {
  Tensor left_bin;     // int64 [K, 4], 0..reg_max - 1
  Tensor right_share;  // [K, 4] in [0, 1]: share of bin left_bin + 1, the rest is left_bin's;
                       // outside of all bins the outermost has all
};

/// Targets that move the references' edges onto the boxes'. ref_points: [K, 4] cx cy w h; boxes:
/// [K, 4] cx cy w h (negative sizes count as 0); bins: from weighting_function
/// (model/distribution.h).
EdgeTargets bbox2distance(const Tensor& ref_points, const Tensor& boxes, const Tensor& bins,
                          const Tensor& reg_scale);

}  // namespace dfine::inline loss
