#pragma once
// IoU and generalised IoU (Rezatofighi et al. 2019) of boxes [..., 4] cx cy w h. A negative width
// or height counts as 0. There is no epsilon: two boxes that are both without area give NaN.
#include "tensor.h"

namespace dfine::inline loss {

struct IouGiou {
  Tensor iou, giou;  // broadcast shape of the two operands without the last dimension
};

/// Of boxes that broadcast against each other: [K, 4] with [K, 4] for matched pairs, [N, 1, 4] with
/// [1, M, 4] for all pairs.
IouGiou box_iou_giou(const Tensor& a, const Tensor& b);

}  // namespace dfine::inline loss
