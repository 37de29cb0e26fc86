#pragma once
#include "distributed/communicator.h"

namespace dfine::inline distributed {

/// Batch norm in training mode over the samples of all ranks (Ioffe and Szegedy, 2015, algorithm
/// 1). Result, all gradients and running statistics are what at::batch_norm gives on the ranks'
/// batches joined together. The variance in the running statistics is unbiased, as PyTorch's. x:
/// [N_r, C, ...]; N_r may differ between ranks but not be 0. It may be contiguous or channels_last,
/// which the result keeps, and float or double. Half and bfloat16 are computed in float. The
/// tensors weight, bias, running_mean and running_var are [C]; the last two are updated in place.
/// The gradients of weight and bias are this rank's share: their sum over the ranks is the whole
/// (GradientReducer forms the mean). Collective, in the forward pass (one all-gather of 2C + 1
/// values) and in the backward pass (one all-reduce of 2C).
Tensor sync_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                       Tensor& running_mean, Tensor& running_var, double momentum, double eps,
                       const Communicator& group);

}  // namespace dfine::inline distributed
