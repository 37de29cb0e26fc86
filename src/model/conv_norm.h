#pragma once
// Convolution + batch norm + activation, the unit of backbone and encoder. The input's memory
// format is kept.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <torch/nn/module.h>

#include "model/batch_norm.h"
#include "model/fixed_conv.h"
#include "model/foldable.h"
#include "model/initializer.h"
#include "tensor.h"

namespace dfine::inline model {

/// Weights only: [out, in / groups, kernel, kernel], no bias.
class Conv2d : public torch::nn::Module {
 public:
  Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t groups, Initializer& init);
  Tensor weight;
};

/// y = scale * x + bias with one number each (PP-HGNetV2's learnable affine block).
class AffineBlock : public torch::nn::Module {
 public:
  AffineBlock();
  Tensor scale, bias;  // [1]
};

/// Under which names the published files keep the two parts, and how the norm behaves.
struct ConvNormStyle {
  std::string conv, norm;
  BatchNormOptions options;
};

class ConvNorm : public torch::nn::Module, public Foldable {
 public:
  /// `affine_block`: with an AffineBlock named "lab" after the activation, which is not SiLU.
  ConvNorm(const ConvShape& shape, const ConvNormStyle& style, Activation activation,
           Initializer& init, bool affine_block = false);

  Tensor forward(const Tensor& x);

  /// A frozen norm folded into the convolution: the whole layer before the activation is conv(x,
  /// weight) + bias.
  struct Fused {
    Tensor weight, bias;
  };
  /// Whether it should be. Not when evaluating on a CPU. There the operations are the reference's
  /// own, one by one, so that rounding agrees with it. For X at 640x640, logits are within 4e-5
  /// instead of 2e-4.
  bool can_fuse(const Tensor& x) const {
    return norm_->uses_running_stats() && (is_training() || !x.is_cpu());
  }
  Fused fused();
  /// The same, for a layer that folds this one into itself: the convolution's weight becomes empty.
  Fused take_fused();
  void fold(Operators operators) override;

 private:
  /// What follows the norm, but for SiLU.
  NormReluOptions after_norm() const;
  Tensor forward_folded(const Tensor& x);

  ConvShape shape_;
  Activation activation_;
  std::shared_ptr<Conv2d> conv_;
  std::shared_ptr<BatchNorm2d> norm_;
  std::shared_ptr<AffineBlock> lab_;  // null without
  std::optional<FixedConv> folded_;   // all but the affine block's sign and bias
  bool negative_scale_ = false;       // of the affine block
};

/// In place where nothing needs the input any more.
Tensor apply_silu(Tensor x);

}  // namespace dfine::inline model
