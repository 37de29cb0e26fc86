#pragma once
// A convolution for inference.
#include <cstdint>

#include "model/foldable.h"
#include "tensor.h"

namespace dfine::inline model {

enum class Activation { kNone, kRelu, kSilu };

struct ConvShape {
  int64_t in, out;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t groups = 1;
  bool padded = true;  // by kernel / 2 on every side (kernel odd)

  int64_t padding() const { return padded ? kernel / 2 : 0; }
};

/// activation(conv(x, weight) + bias) with weights that no longer change. In float32 on a CPU
/// oneDNN computes all of it in one pass, from weights that it has rearranged once. Not so with
/// plain operators. Without gradients.
class FixedConv {
 public:
  /// weight: [out, in / groups, kernel, kernel]; bias: [out].
  FixedConv(Tensor weight, Tensor bias, const ConvShape& shape, Activation activation,
            Operators operators);

  /// x: [B, in, H, W]. The result is in channels_last.
  Tensor forward(const Tensor& x);

 private:
  Tensor with_onednn(const Tensor& x);

  Tensor weight_;  // from the first call on as oneDNN wants it for that call's sizes
  Tensor bias_;
  ConvShape shape_;
  Activation activation_;
  Operators operators_;
};

}  // namespace dfine::inline model
