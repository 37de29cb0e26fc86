#pragma once
// Which tokens of the encoder become queries (RT-DETR, Zhao et al. 2024, section 4.3, by the class
// scores alone).
#include <memory>
#include <tuple>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/nn/module.h>

#include "model/deformable_attention.h"
#include "model/last_value.h"
#include "model/layers.h"
#include "model/outputs.h"
#include "tensor.h"
#include "variants/model_spec.h"

namespace dfine::inline model {

/// A box around each token's centre, of 0.05 * 2^level of the image (the level's index, not its
/// stride).
struct Anchors {
  Tensor unact;  // [L, 4] cx cy w h before the sigmoid; +inf where not valid
  Tensor valid;  // bool [L, 1]: every coordinate lies inside (0.01, 0.99)
};
Anchors make_anchors(const std::vector<LevelShape>& levels, const at::TensorOptions& options);

struct SelectedQueries {
  Tensor content;      // [B, Q, dim], detached
  Tensor boxes_unact;  // [B, Q, 4], detached
  HeadOutput head;     // logits and boxes, which alone train the layers here
};

class QuerySelection {
 public:
  /// Registers enc_output, enc_score_head and enc_bbox_head in `owner` itself, where the published
  /// files have them.
  QuerySelection(torch::nn::Module& owner, const ModelSpec& spec, Initializer& init);

  /// The tokens with the largest class logits, best first. Equal scores come as at::topk has them.
  /// Throws if there are fewer tokens than queries. Under autocast all this is still computed in
  /// single precision.
  SelectedQueries select(const Memory& memory);

 private:
  /// The tokens' indices, [B, Q]. tokens: [B, L, dim]; valid: bool [L, 1].
  Tensor choose(const Tensor& tokens, const Tensor& valid) const;

  int64_t num_queries_;
  LastValue<std::tuple<std::vector<LevelShape>, at::Device, at::ScalarType>, Anchors> anchors_;
  std::shared_ptr<Linear> projection_;
  std::shared_ptr<LayerNorm> norm_;
  std::shared_ptr<Linear> score_head_;
  std::shared_ptr<Mlp> bbox_head_;
};

}  // namespace dfine::inline model
