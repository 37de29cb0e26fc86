#pragma once
// Multi-head self-attention whose queries and keys see a position, the values not (DETR).
#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

#include "model/layers.h"
#include "tensor.h"

namespace dfine::inline model {

class SelfAttention : public torch::nn::Module {
 public:
  /// Starts as torch.nn.MultiheadAttention: Xavier over the joined q, k, v matrix, biases 0.
  SelfAttention(int64_t dim, int64_t num_heads, Initializer& init);

  /// x: [B, T, dim]; position: [B or 1, T, dim]; mask: [T, T] added to the scores, or undefined.
  /// Returns [B, T, dim].
  Tensor forward(const Tensor& x, const Tensor& position, const Tensor& mask) const;

 private:
  int64_t num_heads_;
  std::shared_ptr<Linear> q_, k_, v_, out_;
};

}  // namespace dfine::inline model
