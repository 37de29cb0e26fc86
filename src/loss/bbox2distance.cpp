#include "loss/bbox2distance.h"

#include <ATen/ATen.h>

namespace dfine::inline loss {

EdgeTargets bbox2distance(const Tensor& ref_points, const Tensor& boxes, const Tensor& bins,
                          const Tensor& reg_scale) {
  const at::NoGradGuard no_grad;
  constexpr double kEps = 1e-16;  // a reference without size puts every edge outside of the bins,
                                  // on the side where it lies
  const Tensor scale = reg_scale.abs();
  const Tensor centre = ref_points.narrow(-1, 0, 2),
               unit = ref_points.narrow(-1, 2, 2) / scale + kEps;
  const Tensor half = boxes.narrow(-1, 2, 2).clamp_min(0) * 0.5, middle = boxes.narrow(-1, 0, 2);
  const Tensor before = centre - (middle - half), after = middle + half - centre;
  const Tensor offset = at::cat({before / unit, after / unit}, -1) -
                        scale * 0.5;  // [K, 4], 0 where edge and reference edge agree

  const Tensor left =
      (at::searchsorted(bins, offset.contiguous(), /*out_int32=*/false, /*right=*/true) - 1)
          .clamp_(0, bins.size(0) - 2);
  const Tensor low = bins.index({left}), high = bins.index({left + 1});
  return {left, ((offset - low) / (high - low)).clamp_(0, 1)};
}

}  // namespace dfine::inline loss
