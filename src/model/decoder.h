#pragma once
// The decoder: every layer refines the distributions of the box edges that the layers before it
// left.
#include <memory>

#include <torch/nn/module.h>

#include "model/decoder_layer.h"
#include "model/layers.h"
#include "model/outputs.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

/// Location quality estimator: corrects class scores by how peaked the edge distributions are.
class Lqe : public torch::nn::Module {
 public:
  explicit Lqe(Initializer& init);
  /// probabilities: [B, T, 4, bins]. Returns [B, T, 1], to be added to the logits.
  Tensor forward(const Tensor& probabilities) const;

 private:
  std::shared_ptr<Mlp> reg_conf_;
};

class Decoder : public torch::nn::Module {
 public:
  Decoder(const ModelSpec& spec, Initializer& init);

  /// content: [B, T, dim]; boxes_unact: [B, T, 4] before the sigmoid; mask: [T, T] or undefined.
  /// The heads are those of ModelOutput::decoder. Under autocast, boxes, corners and position
  /// embeddings are still computed in single precision.
  Heads forward(const Tensor& content, const Tensor& boxes_unact, const Memory& memory,
                const Tensor& mask) const;

  const Tensor& up() const { return up_; }
  const Tensor& reg_scale() const { return reg_scale_; }

 private:
  /// [B, T, 4] -> [B, T, dim]
  Tensor embed_position(const Tensor& boxes) const;

  int64_t reg_max_;
  std::shared_ptr<ModuleList<DecoderLayer>> layers_;
  std::shared_ptr<ModuleList<Lqe>> lqe_layers_;
  std::shared_ptr<ModuleList<Linear>> class_embed_;
  std::shared_ptr<ModuleList<Mlp>> bbox_embed_;
  std::shared_ptr<Mlp> pre_bbox_head_, query_pos_head_;
  Tensor up_, reg_scale_;  // [1]
};

}  // namespace dfine::inline model
