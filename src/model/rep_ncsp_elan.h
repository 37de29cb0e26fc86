#pragma once
// The convolution blocks of the hybrid encoder's two pyramids.
#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

#include "model/conv_norm.h"
#include "model/layers.h"
#include "tensor.h"

namespace dfine::inline model {

class CspRepLayer;

/// Joins two levels: RepNCSPELAN4 (YOLOv9's GELAN with RepVGG bottlenecks).
class RepNcspElan : public torch::nn::Module {
 public:
  /// [B, 2 * dim, H, W] -> [B, dim, H, W], by way of two paths of `inner` channels with `depth`
  /// bottlenecks each.
  RepNcspElan(int64_t dim, int64_t inner, int64_t depth, Initializer& init);
  Tensor forward(const Tensor& x);

 private:
  int64_t dim_;
  std::shared_ptr<ConvNorm> conv1_, conv2_, conv3_, conv4_;
  std::shared_ptr<CspRepLayer> csp_rep1_, csp_rep2_;
};

/// Halves height and width: a pointwise, then a strided depthwise convolution, neither activated.
class ScDown : public torch::nn::Module {
 public:
  ScDown(int64_t dim, Initializer& init);
  Tensor forward(const Tensor& x);

 private:
  std::shared_ptr<ConvNorm> conv1_, conv2_;
};

/// Names and norms of the encoder's convolutions.
ConvNormStyle encoder_style();

}  // namespace dfine::inline model
