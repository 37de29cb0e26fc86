#pragma once
#include <memory>

#include <torch/nn/module.h>

#include "model/deformable_attention.h"
#include "model/layers.h"
#include "model/self_attention.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

/// Mixes two inputs by learnt gates instead of adding them (the paper's Target Gating Layer):
/// norm(g1 * x + g2 * y).
class Gateway : public torch::nn::Module {
 public:
  Gateway(int64_t dim, Initializer& init);
  Tensor forward(const Tensor& x, const Tensor& y) const;

 private:
  std::shared_ptr<Linear> gate_;
  std::shared_ptr<LayerNorm> norm_;
};

/// Self-attention among the queries, deformable attention to the image, feed-forward.
class DecoderLayer : public torch::nn::Module {
 public:
  DecoderLayer(const ModelSpec& spec, Initializer& init);

  /// x: [B, T, dim]; position: [B, T, dim]; boxes: [B, T, 4] cx cy w h to look at; mask: see
  /// SelfAttention. Returns [B, T, dim].
  Tensor forward(Tensor x, const Tensor& position, const Tensor& boxes, const Memory& memory,
                 const Tensor& mask) const;

 private:
  std::shared_ptr<SelfAttention> self_attn_;
  std::shared_ptr<LayerNorm> self_attn_norm_;
  std::shared_ptr<DeformableAttention> encoder_attn_;
  std::shared_ptr<Gateway> gateway_;
  std::shared_ptr<Linear> fc1_, fc2_;
  std::shared_ptr<LayerNorm> final_norm_;
};

}  // namespace dfine::inline model
