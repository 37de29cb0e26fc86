#pragma once
// Fine-grained distribution refinement (the D-FINE paper, section 4.1). An edge of a box is a
// distribution over reg_max + 1 offsets from the same edge of a reference box.
#include <cstdint>

#include "tensor.h"

namespace dfine::inline model {

/// The bins' offsets, [reg_max + 1], in units of the reference box's size / reg_scale. They are 0
/// in the middle, geometrically coarser outwards to +-up * reg_scale, and +-2 * up * reg_scale at
/// the ends. Both up and reg_scale are [1].
Tensor weighting_function(const Tensor& up, const Tensor& reg_scale, int64_t reg_max);

/// Moves the four edges of `ref_points` ([..., 4] cx cy w h) outwards by `distances` ([..., 4] left
/// top right bottom, in bin units). Returns cx cy w h; a width or height can become negative.
Tensor distance2bbox(const Tensor& ref_points, const Tensor& distances, const Tensor& reg_scale);

/// log(x / (1 - x)) with both kept from 0 by 1e-5.
Tensor inverse_sigmoid(const Tensor& x);

}  // namespace dfine::inline model
