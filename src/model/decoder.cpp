#include "model/decoder.h"

#include <ATen/ATen.h>

#include "model/distribution.h"
#include "model/full_precision.h"

namespace dfine::inline model {
namespace {

constexpr int64_t kTopProbabilities =
    4;  // of an edge, plus their mean, go into the quality estimate
constexpr int64_t kQualityDim = 64;
constexpr double kClassPrior = 0.01;
constexpr double kPositionLimit = 10;  // of the queries' position embedding

/// Of the bins' offsets: [..., bins] and [bins] -> [...]. In single precision under autocast too:
/// bfloat16 has 8 bits for offsets of which the outermost are 50 times the innermost.
Tensor expectation(const Tensor& probabilities, const Tensor& bins) {
  const FullPrecision guard(bins.device().type());
  return probabilities.matmul(bins.to(probabilities.scalar_type()));
}

void copy_parameters(const torch::nn::Module& from, torch::nn::Module& to) {
  at::NoGradGuard no_grad;
  const auto source = from.named_parameters();
  for (auto& item : to.named_parameters()) item.value().copy_(source[item.key()]);
}

}  // namespace

Lqe::Lqe(Initializer& init)
    : reg_conf_(register_module("reg_conf", std::make_shared<Mlp>(4 * (kTopProbabilities + 1),
                                                                  kQualityDim, 1, 2, init))) {
  reg_conf_->zero_last();
}

Tensor Lqe::forward(const Tensor& probabilities) const {
  const Tensor top = std::get<0>(probabilities.topk(kTopProbabilities, -1));
  return reg_conf_->forward(at::cat({top, top.mean(-1, /*keepdim=*/true)}, -1).flatten(2));
}

Decoder::Decoder(const ModelSpec& spec, Initializer& init) : reg_max_(spec.reg_max) {
  const int64_t dim = spec.decoder_dim;
  layers_ = register_module("layers", std::make_shared<ModuleList<DecoderLayer>>());
  lqe_layers_ = register_module("lqe_layers", std::make_shared<ModuleList<Lqe>>());
  class_embed_ = register_module("class_embed", std::make_shared<ModuleList<Linear>>());
  bbox_embed_ = register_module("bbox_embed", std::make_shared<ModuleList<Mlp>>());
  at::NoGradGuard no_grad;
  for (int64_t i = 0; i < spec.decoder_layers; ++i) {
    DecoderLayer& layer = layers_->add(spec, init);
    if (i > 0) copy_parameters((*layers_)[0], layer);  // the official layers start as copies of one
    lqe_layers_->add(init);
    class_embed_->add(dim, spec.num_classes, init).bias.fill_(prior_bias(kClassPrior));
    bbox_embed_->add(dim, dim, 4 * (reg_max_ + 1), 3, init).zero_last();
  }
  pre_bbox_head_ = register_module("pre_bbox_head", std::make_shared<Mlp>(dim, dim, 4, 3, init));
  pre_bbox_head_->zero_last();
  query_pos_head_ =
      register_module("query_pos_head", std::make_shared<Mlp>(4, 2 * dim, dim, 2, init));
  for (size_t i = 0; i < 2; ++i) {
    Tensor& weight = query_pos_head_->layer(i).weight;
    weight.copy_(init.xavier_uniform(weight.sizes(), weight.size(1), weight.size(0)));
  }
  up_ = register_parameter("up", at::full({1}, spec.up, at::kFloat), /*requires_grad=*/false);
  reg_scale_ = register_parameter("reg_scale", at::full({1}, spec.reg_scale, at::kFloat),
                                  /*requires_grad=*/false);
}

Tensor Decoder::embed_position(const Tensor& boxes) const {
  // Rounded to bfloat16, coordinates of a 640 pixel image are up to 2.5 pixels off.
  const FullPrecision guard(boxes.device().type());
  return query_pos_head_->forward(boxes).clamp(-kPositionLimit, kPositionLimit);
}

Heads Decoder::forward(const Tensor& content, const Tensor& boxes_unact, const Memory& memory,
                       const Tensor& mask) const {
  const int64_t batch = content.size(0), tokens = content.size(1);
  const Tensor bins = weighting_function(up_, reg_scale_, reg_max_);
  std::vector<Tensor> all_logits, all_boxes, all_corners;
  Tensor pre_logits, pre_boxes;
  Tensor x = content;
  Tensor boxes = to_full(boxes_unact).sigmoid().detach();  // [B, T, 4] where this layer looks
  Tensor ref_points;                                       // [B, T, 4] whose edges all layers move
  Tensor corners, x_before;                                // of the layer before
  for (size_t i = 0; i < layers_->size(); ++i) {
    const Tensor position = embed_position(boxes);
    x = (*layers_)[i].forward(x, position, boxes, memory, mask);
    if (i == 0) {
      pre_boxes = (pre_bbox_head_->forward_full_output(x) + inverse_sigmoid(boxes)).sigmoid();
      ref_points = pre_boxes.detach();
      if (is_training()) pre_logits = (*class_embed_)[0].forward(x);
      corners = (*bbox_embed_)[0].forward_full_output(x);
    } else {
      corners = (*bbox_embed_)[i].forward_full_output(x + x_before.detach()) + corners;
    }
    const Tensor probabilities = corners.view({batch, tokens, 4, reg_max_ + 1}).softmax(-1);
    const Tensor refined = distance2bbox(ref_points, expectation(probabilities, bins), reg_scale_);
    if (is_training() || i + 1 == layers_->size()) {
      // The first layer's plain scores are those of `pre`.
      const Tensor plain = i == 0 && is_training() ? pre_logits : (*class_embed_)[i].forward(x);
      all_logits.push_back(plain + (*lqe_layers_)[i].forward(probabilities));
      all_boxes.push_back(refined);
      all_corners.push_back(corners);
    }
    boxes = refined.detach();
    x_before = x;
  }
  if (!is_training()) {
    return {.logits = all_logits[0].unsqueeze(0),
            .boxes = all_boxes[0].unsqueeze(0),
            .corners = {},
            .ref_points = {}};
  }
  all_logits.push_back(pre_logits);
  all_boxes.push_back(pre_boxes);
  return {.logits = at::stack(all_logits),
          .boxes = at::stack(all_boxes),
          .corners = at::stack(all_corners),
          .ref_points = ref_points};
}

}  // namespace dfine::inline model
