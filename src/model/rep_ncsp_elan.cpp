#include "model/rep_ncsp_elan.h"

#include <ATen/ATen.h>

namespace dfine::inline model {
namespace {

std::shared_ptr<ConvNorm> make(const ConvShape& shape, Activation activation, Initializer& init) {
  return std::make_shared<ConvNorm>(shape, encoder_style(), activation, init);
}

/// RepVGG: a 3x3 and a 1x1 convolution side by side.
class RepVggBlock : public torch::nn::Module, public Foldable {
 public:
  RepVggBlock(int64_t dim, Initializer& init)
      : conv1_(register_module(
            "conv1", make({.in = dim, .out = dim, .kernel = 3}, Activation::kNone, init))),
        conv2_(register_module("conv2", make({.in = dim, .out = dim}, Activation::kNone, init))) {}

  Tensor forward(const Tensor& x) {
    if (folded_) return folded_->forward(x);
    if (!conv1_->can_fuse(x)) return apply_silu(conv1_->forward(x) + conv2_->forward(x));
    const auto [weight, bias] = merged(conv1_->fused(), conv2_->fused());
    return apply_silu(at::conv2d(x, weight, bias, /*stride=*/1, /*padding=*/1));
  }

  void fold(Operators operators) override {
    const at::NoGradGuard no_grad;
    auto [weight, bias] = merged(conv1_->take_fused(), conv2_->take_fused());
    const ConvShape shape{.in = weight.size(1), .out = weight.size(0), .kernel = 3};
    folded_.emplace(std::move(weight), std::move(bias), shape, Activation::kSilu, operators);
  }

 private:
  /// Norms that are constant make one 3x3 convolution of both.
  static ConvNorm::Fused merged(const ConvNorm::Fused& wide, const ConvNorm::Fused& point) {
    return {wide.weight + at::constant_pad_nd(point.weight, {1, 1, 1, 1}), wide.bias + point.bias};
  }

  std::shared_ptr<ConvNorm> conv1_, conv2_;
  std::optional<FixedConv> folded_;
};

}  // namespace

/// Cross-stage partial layer: bottlenecks on one of two pointwise paths.
class CspRepLayer : public torch::nn::Module {
 public:
  CspRepLayer(int64_t in, int64_t out, int64_t depth, Initializer& init)
      : conv1_(register_module("conv1", make({.in = in, .out = out}, Activation::kSilu, init))),
        conv2_(register_module("conv2", make({.in = in, .out = out}, Activation::kSilu, init))),
        bottlenecks_(register_module("bottlenecks", std::make_shared<ModuleList<RepVggBlock>>())) {
    for (int64_t i = 0; i < depth; ++i) bottlenecks_->add(out, init);
  }

  Tensor forward(const Tensor& x) {
    Tensor y = conv1_->forward(x);
    for (const auto& bottleneck : *bottlenecks_) y = bottleneck->forward(y);
    return y + conv2_->forward(x);
  }

 private:
  std::shared_ptr<ConvNorm> conv1_, conv2_;
  std::shared_ptr<ModuleList<RepVggBlock>> bottlenecks_;
};

ConvNormStyle encoder_style() {
  return {"conv", "norm", {}};
}

RepNcspElan::RepNcspElan(int64_t dim, int64_t inner, int64_t depth, Initializer& init)
    : dim_(dim),
      conv1_(
          register_module("conv1", make({.in = 2 * dim, .out = 2 * dim}, Activation::kSilu, init))),
      conv2_(make({.in = inner, .out = inner, .kernel = 3}, Activation::kSilu, init)),
      conv3_(make({.in = inner, .out = inner, .kernel = 3}, Activation::kSilu, init)),
      conv4_(make({.in = 2 * dim + 2 * inner, .out = dim}, Activation::kSilu, init)),
      csp_rep1_(
          register_module("csp_rep1", std::make_shared<CspRepLayer>(dim, inner, depth, init))),
      csp_rep2_(std::make_shared<CspRepLayer>(inner, inner, depth, init)) {
  register_module("conv2", conv2_);
  register_module("csp_rep2", csp_rep2_);
  register_module("conv3", conv3_);
  register_module("conv4", conv4_);
}

Tensor RepNcspElan::forward(const Tensor& x) {
  const Tensor both = conv1_->forward(x);  // [B, 2 * dim, H, W]
  const Tensor first = conv2_->forward(csp_rep1_->forward(both.narrow(1, dim_, dim_)));
  const Tensor second = conv3_->forward(csp_rep2_->forward(first));
  return conv4_->forward(at::cat({both, first, second}, 1));
}

ScDown::ScDown(int64_t dim, Initializer& init)
    : conv1_(register_module("conv1", make({.in = dim, .out = dim}, Activation::kNone, init))),
      conv2_(register_module("conv2",
                             make({.in = dim, .out = dim, .kernel = 3, .stride = 2, .groups = dim},
                                  Activation::kNone, init))) {}

Tensor ScDown::forward(const Tensor& x) {
  return conv2_->forward(conv1_->forward(x));
}

}  // namespace dfine::inline model
