#pragma once
// The CPU kernels of sync_batch_norm. Internal to distributed.
#include "tensor.h"

namespace dfine::inline distributed {

/// Gradient of batch norm with respect to its input, in one pass over x and grad: (grad - mean_grad
/// - (x - mean) * projection) * scale, for each channel. Shapes of x and grad: [N, C, ...], both
/// contiguous or both channels_last, float or double. The others are [C] of the same type.
Tensor batch_norm_input_gradient(const Tensor& grad, const Tensor& x, const Tensor& mean,
                                 const Tensor& mean_grad, const Tensor& projection,
                                 const Tensor& scale);

}  // namespace dfine::inline distributed
