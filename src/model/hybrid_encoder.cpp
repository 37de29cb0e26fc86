#include "model/hybrid_encoder.h"

#include <ATen/ATen.h>

#include "model/conv_norm.h"
#include "model/position_embedding.h"
#include "model/rep_ncsp_elan.h"
#include "model/self_attention.h"

namespace dfine::inline model {

/// Post-norm transformer layer with GELU.
class EncoderLayer : public torch::nn::Module {
 public:
  EncoderLayer(const ModelSpec& spec, Initializer& init)
      : self_attn_(register_module(
            "self_attn", std::make_shared<SelfAttention>(spec.encoder_dim, spec.num_heads, init))),
        fc1_(register_module(
            "fc1", std::make_shared<Linear>(spec.encoder_dim, spec.encoder_ffn_dim, init))),
        fc2_(register_module(
            "fc2", std::make_shared<Linear>(spec.encoder_ffn_dim, spec.encoder_dim, init))),
        norm1_(
            register_module("self_attn_layer_norm", std::make_shared<LayerNorm>(spec.encoder_dim))),
        norm2_(register_module("final_layer_norm", std::make_shared<LayerNorm>(spec.encoder_dim))) {
  }

  Tensor forward(Tensor x, const Tensor& position) {
    x = norm1_->forward(x + self_attn_->forward(x, position, {}));
    return norm2_->forward(x + fc2_->forward(at::gelu(fc1_->forward(x))));
  }

 private:
  std::shared_ptr<SelfAttention> self_attn_;
  std::shared_ptr<Linear> fc1_, fc2_;
  std::shared_ptr<LayerNorm> norm1_, norm2_;
};

HybridEncoder::~HybridEncoder() = default;

HybridEncoder::HybridEncoder(const ModelSpec& spec, Initializer& init)
    : temperature_(spec.position_temperature),
      lateral_convs_(register_module("lateral_convs", std::make_shared<ModuleList<ConvNorm>>())),
      fpn_blocks_(register_module("fpn_blocks", std::make_shared<ModuleList<RepNcspElan>>())),
      pan_blocks_(register_module("pan_blocks", std::make_shared<ModuleList<RepNcspElan>>())),
      downsample_convs_(
          register_module("downsample_convs", std::make_shared<ModuleList<ScDown>>())) {
  // Published files number the attended levels, of which there is one: encoder.0.layers.i.
  const auto levels = register_module("encoder", std::make_shared<torch::nn::Module>());
  const auto level = levels->register_module("0", std::make_shared<torch::nn::Module>());
  layers_ = level->register_module("layers", std::make_shared<ModuleList<EncoderLayer>>());
  for (int64_t i = 0; i < spec.encoder_layers; ++i) layers_->add(spec, init);
  for (int64_t i = 1; i < spec.num_levels(); ++i) {
    lateral_convs_->add(ConvShape{.in = spec.encoder_dim, .out = spec.encoder_dim}, encoder_style(),
                        Activation::kNone, init);
    fpn_blocks_->add(spec.encoder_dim, spec.fusion_dim(), spec.fusion_depth(), init);
    downsample_convs_->add(spec.encoder_dim, init);
    pan_blocks_->add(spec.encoder_dim, spec.fusion_dim(), spec.fusion_depth(), init);
  }
}

Tensor HybridEncoder::attend(const Tensor& feature) {
  const int64_t batch = feature.size(0), dim = feature.size(1), height = feature.size(2),
                width = feature.size(3);
  const Tensor& position = position_.get(
      {height, width, feature.device(), feature.scalar_type()},
      [&] { return position_embedding(height, width, dim, temperature_, feature.options()); });
  Tensor tokens = feature.permute({0, 2, 3, 1})
                      .reshape({batch, height * width, dim});  // a view of a channels_last tensor
  for (const auto& layer : *layers_) tokens = layer->forward(tokens, position);
  return tokens.view({batch, height, width, dim})
      .permute({0, 3, 1, 2})
      .contiguous(feature.suggest_memory_format());
}

std::vector<Tensor> HybridEncoder::forward(std::vector<Tensor> features) {
  const size_t last = features.size() - 1;
  features[last] = attend(features[last]);
  for (size_t i = last; i > 0; --i) {  // coarse to fine
    const size_t step = last - i;
    features[i] = (*lateral_convs_)[step].forward(features[i]);
    const Tensor& fine = features[i - 1];
    const Tensor up = at::upsample_nearest2d(features[i], {fine.size(2), fine.size(3)});
    features[i - 1] = (*fpn_blocks_)[step].forward(at::cat({up, fine}, 1));
  }
  for (size_t i = 0; i < last; ++i) {  // fine to coarse
    features[i + 1] = (*pan_blocks_)[i].forward(
        at::cat({(*downsample_convs_)[i].forward(features[i]), features[i + 1]}, 1));
  }
  return features;
}

}  // namespace dfine::inline model
