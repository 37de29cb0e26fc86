#pragma once
#include <vector>

#include "tensor.h"

namespace dfine::inline optim {

/// Euclidean norm of all gradients taken as one vector, a tensor [] on their device, as it was
/// before clipping. With max_norm > 0 the gradients are multiplied in place by max_norm / (norm +
/// 1e-6), at most 1 (torch.nn.utils.clip_grad_norm_); with 0 they stay. Parameters without a
/// gradient do not count; if none has one the norm is 0. Does not wait for the device.
Tensor clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace dfine::inline optim
