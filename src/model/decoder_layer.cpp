#include "model/decoder_layer.h"

#include <ATen/ATen.h>

namespace dfine::inline model {

Gateway::Gateway(int64_t dim, Initializer& init)
    : gate_(register_module("gate", std::make_shared<Linear>(2 * dim, 2 * dim, init))),
      norm_(register_module("norm", std::make_shared<LayerNorm>(dim))) {
  at::NoGradGuard no_grad;
  gate_->weight.zero_();
  gate_->bias.zero_();
}

Tensor Gateway::forward(const Tensor& x, const Tensor& y) const {
  const auto gates = gate_->forward(at::cat({x, y}, -1)).sigmoid().chunk(2, -1);
  return norm_->forward(at::addcmul(gates[0] * x, gates[1], y));
}

DecoderLayer::DecoderLayer(const ModelSpec& spec, Initializer& init) {
  const int64_t dim = spec.decoder_dim, ffn = spec.decoder_ffn_dim;
  self_attn_ =
      register_module("self_attn", std::make_shared<SelfAttention>(dim, spec.num_heads, init));
  self_attn_norm_ = register_module("self_attn_layer_norm", std::make_shared<LayerNorm>(dim));
  encoder_attn_ = register_module("encoder_attn", std::make_shared<DeformableAttention>(
                                                      dim, spec.num_heads, spec.num_points, init));
  gateway_ = register_module("gateway", std::make_shared<Gateway>(dim, init));
  fc1_ = register_module("fc1", std::make_shared<Linear>(dim, ffn, init));
  fc2_ = register_module("fc2", std::make_shared<Linear>(ffn, dim, init));
  final_norm_ = register_module("final_layer_norm", std::make_shared<LayerNorm>(dim));
  at::NoGradGuard no_grad;
  fc1_->weight.copy_(init.xavier_uniform({ffn, dim}, dim, ffn));
  fc2_->weight.copy_(init.xavier_uniform({dim, ffn}, ffn, dim));
}

Tensor DecoderLayer::forward(Tensor x, const Tensor& position, const Tensor& boxes,
                             const Memory& memory, const Tensor& mask) const {
  x = self_attn_norm_->forward(x + self_attn_->forward(x, position, mask));
  x = gateway_->forward(x, encoder_attn_->forward(x + position, boxes, memory));
  constexpr double kLargestHalf = 65504;  // keeps half precision finite
  return final_norm_->forward(
      (x + fc2_->forward(fc1_->forward(x).relu_())).clamp(-kLargestHalf, kLargestHalf));
}

}  // namespace dfine::inline model
