#include "model/query_selection.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"
#include "model/full_precision.h"

namespace dfine::inline model {
namespace {

constexpr double kAnchorSize = 0.05;
constexpr double kAnchorMargin = 0.01;
constexpr double kClassPrior = 0.01;

/// [B, L, D] and [B, Q] -> [B, Q, D]
Tensor take_tokens(const Tensor& tokens, const Tensor& index) {
  return tokens.gather(1, index.unsqueeze(2).expand({-1, -1, tokens.size(2)}));
}

}  // namespace

Anchors make_anchors(const std::vector<LevelShape>& levels, const at::TensorOptions& options) {
  const auto in_double = options.dtype(at::kDouble);
  std::vector<Tensor> boxes;
  double size = kAnchorSize;
  for (const auto [height, width] : levels) {
    const auto centers = [&](int64_t n) {
      return (at::arange(n, in_double) + 0.5) / static_cast<double>(n);
    };
    const Tensor x = centers(width).view({1, width}).expand({height, width});
    const Tensor y = centers(height).view({height, 1}).expand({height, width});
    const Tensor side = at::full({height, width}, size, in_double);
    boxes.push_back(at::stack({x, y, side, side}, 2).view({height * width, 4}));
    size *= 2;
  }
  const Tensor all = at::cat(boxes);  // [L, 4]
  const Tensor valid = (all.gt(kAnchorMargin) & all.lt(1 - kAnchorMargin)).all(1, /*keepdim=*/true);
  const Tensor unact =
      (all / (1 - all)).log().masked_fill(~valid, std::numeric_limits<double>::infinity());
  return {unact.to(options), valid};
}

QuerySelection::QuerySelection(torch::nn::Module& owner, const ModelSpec& spec, Initializer& init)
    : num_queries_(spec.num_queries) {
  const int64_t dim = spec.decoder_dim;
  const auto output = owner.register_module("enc_output", std::make_shared<torch::nn::Module>());
  projection_ = output->register_module("0", std::make_shared<Linear>(dim, dim, init));
  norm_ = output->register_module("1", std::make_shared<LayerNorm>(dim));
  score_head_ = owner.register_module("enc_score_head",
                                      std::make_shared<Linear>(dim, spec.num_classes, init));
  bbox_head_ = owner.register_module("enc_bbox_head", std::make_shared<Mlp>(dim, dim, 4, 3, init));
  bbox_head_->zero_last();
  at::NoGradGuard no_grad;
  projection_->weight.copy_(init.xavier_uniform({dim, dim}, dim, dim));
  score_head_->bias.fill_(prior_bias(kClassPrior));
}

Tensor QuerySelection::choose(const Tensor& tokens, const Tensor& valid) const {
  const at::NoGradGuard no_grad;
  const Tensor projected = norm_->forward(projection_->forward(to_full(tokens) * valid));
  const Tensor scores = score_head_->forward(projected).amax(2);  // [B, L]
  return std::get<1>(scores.topk(num_queries_, 1));
}

SelectedQueries QuerySelection::select(const Memory& memory) {
  const Tensor& tokens = memory.tokens;
  if (tokens.size(1) < num_queries_) {
    throw Error(ErrorCode::kConflictingSettings,
                str_cat("the image gives ", tokens.size(1), " tokens, fewer than the ",
                        num_queries_, " queries"),
                "use larger images (or a model with fewer queries)");
  }
  // Under autocast too: bfloat16 would make many scores equal, and round boxes to whole pixels.
  const FullPrecision guard(tokens.device().type());
  const auto type = at::promote_types(tokens.scalar_type(), at::kFloat);
  const auto& [unact, valid] = anchors_.get({memory.levels, tokens.device(), type}, [&] {
    return make_anchors(memory.levels, tokens.options().dtype(type));
  });

  // Choosing needs no gradient, and only the chosen tokens' outputs are used. So all tokens are
  // scored without a graph, the chosen ones once more with it.
  const Tensor chosen = choose(tokens, valid);  // [B, Q]
  const Tensor content = norm_->forward(projection_->forward(
      to_full(take_tokens(tokens, chosen)) * valid.squeeze(1).index({chosen}).unsqueeze(2)));
  const Tensor boxes_unact = bbox_head_->forward(content) + unact.index({chosen});
  return {.content = content.detach(),
          .boxes_unact = boxes_unact.detach(),
          .head = {.logits = score_head_->forward(content), .boxes = boxes_unact.sigmoid()}};
}

}  // namespace dfine::inline model
