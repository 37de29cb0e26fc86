#pragma once
#include "tensor.h"

namespace dfine::inline ops {

/// scale * x + bias, with one number each, in x's type. It is computed in the type of scale and
/// bias, and so are their gradients: under autocast x is narrower. PyTorch's operators would make
/// the result as wide as they are, for the next convolution to narrow it again.
/// x: any shape; scale, bias: [1].
Tensor affine_block(const Tensor& x, const Tensor& scale, const Tensor& bias);

}  // namespace dfine::inline ops
