#include "model/distribution.h"

#include <ATen/ATen.h>

namespace dfine::inline model {

Tensor weighting_function(const Tensor& up, const Tensor& reg_scale, int64_t reg_max) {
  const Tensor bound = up.abs() * reg_scale.abs();                              // [1]
  const Tensor base = (bound + 1).pow(2.0 / static_cast<double>(reg_max - 2));  // [1]
  const Tensor right =
      base.pow(at::arange(1, reg_max / 2, base.options())) - 1;  // [reg_max / 2 - 1]
  return at::cat({-2 * bound, -right.flip(0), at::zeros_like(bound), right, 2 * bound});
}

Tensor distance2bbox(const Tensor& ref_points, const Tensor& distances, const Tensor& reg_scale) {
  const Tensor center = ref_points.narrow(-1, 0, 2),
               unit = ref_points.narrow(-1, 2, 2) / reg_scale.abs();
  const Tensor low = distances.narrow(-1, 0, 2), high = distances.narrow(-1, 2, 2);
  const Tensor size = at::addcmul(ref_points.narrow(-1, 2, 2), low + high, unit);
  return at::cat({at::addcmul(center, high - low, unit, 0.5), size}, -1);
}

Tensor inverse_sigmoid(const Tensor& x) {
  const Tensor inside = x.clamp(0, 1);
  return (inside.clamp_min(1e-5) / (1 - inside).clamp_min(1e-5)).log();
}

}  // namespace dfine::inline model
