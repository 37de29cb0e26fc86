#pragma once
// Batch norm by the batch's own statistics, ReLU and affine block as one operator on the CPU. One
// by one they pass over the activations seven times forward and twelve times backward. Together
// they do so three and five times, and keep one tensor instead of three.
#include "distributed/communicator.h"
#include "tensor.h"

namespace dfine::inline ops {

struct RunningStats {
  Tensor& mean;  // [C], updated
  Tensor& var;   // [C] unbiased, updated
  double momentum;
};

struct NormReluOptions {
  bool relu = false;
  /// An affine block after it: y = scale * r + bias, one number each; undefined without.
  Tensor scale, bias;  // [1]
};

/// Whether norm_relu() takes x: float or double in channels_last memory format on a CPU.
bool can_norm_relu(const Tensor& x);

/// y = scale * relu((x - mean) / sqrt(var + eps) * weight + bias) + bias of the block, with mean
/// and biased variance over all ranks' B, H and W. x: [B, C, H, W]; weight and bias: [C].
///
/// Results do not depend on the number of threads. The gradients of weight, bias and affine block
/// are this rank's own. Error: `conflicting_settings` if there is only one value a channel.
Tensor norm_relu(const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const RunningStats& running, double eps, const Communicator& group,
                 const NormReluOptions& options);

}  // namespace dfine::inline ops
