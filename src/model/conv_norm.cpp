#include "model/conv_norm.h"

#include <ATen/ATen.h>

#include "model/weight_copies.h"

namespace dfine::inline model {

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t groups, Initializer& init)
    : weight(register_parameter("weight", init.fan_in_uniform({out, in / groups, kernel, kernel},
                                                              in / groups * kernel * kernel))) {}

AffineBlock::AffineBlock()
    : scale(register_parameter("scale", at::ones({1}))),
      bias(register_parameter("bias", at::zeros({1}))) {}

ConvNorm::ConvNorm(const ConvShape& shape, const ConvNormStyle& style, Activation activation,
                   Initializer& init, bool affine_block)
    : shape_(shape),
      activation_(activation),
      conv_(register_module(style.conv, std::make_shared<Conv2d>(shape.in, shape.out, shape.kernel,
                                                                 shape.groups, init))),
      norm_(register_module(style.norm, std::make_shared<BatchNorm2d>(shape.out, style.options))) {
  if (affine_block) lab_ = register_module("lab", std::make_shared<AffineBlock>());
}

NormReluOptions ConvNorm::after_norm() const {
  if (!lab_) return {activation_ == Activation::kRelu, {}, {}};
  return {activation_ == Activation::kRelu, lab_->scale, lab_->bias};
}

ConvNorm::Fused ConvNorm::fused() {
  const auto [scale, shift] = norm_->affine();
  return {conv_->weight * scale.view({-1, 1, 1, 1}), shift};
}

ConvNorm::Fused ConvNorm::take_fused() {
  Fused taken = fused();
  conv_->weight.set_data(at::empty({0}, conv_->weight.options()));
  return taken;
}

void ConvNorm::fold(Operators operators) {
  if (conv_->weight.numel() == 0) return;  // taken
  const at::NoGradGuard no_grad;
  auto [weight, bias] = take_fused();
  if (lab_) {
    // relu(s * x) = s * relu(x) holds for a positive s.
    weight = weight * lab_->scale.abs();
    bias = bias * lab_->scale.abs();
    negative_scale_ = lab_->scale.item<double>() < 0;
  }
  folded_.emplace(std::move(weight), std::move(bias), shape_, activation_, operators);
}

Tensor ConvNorm::forward_folded(const Tensor& x) {
  Tensor y = folded_->forward(x);
  if (!lab_) return y;
  return negative_scale_ ? at::sub_out(y, lab_->bias, y) : y.add_(lab_->bias);
}

Tensor ConvNorm::forward(const Tensor& x) {
  if (folded_) return forward_folded(x);
  const auto convolve = [&](const Tensor& weight, const Tensor& bias) {
    return at::conv2d(x, weight, bias, shape_.stride, shape_.padding(), /*dilation=*/1,
                      shape_.groups);
  };
  Tensor y;
  if (can_fuse(x)) {
    const Fused f = fused();
    y = relu_affine(convolve(f.weight, f.bias), after_norm());
  } else {
    // A weight in channels_last would decide how evaluation on a CPU rounds.
    const Tensor weight =
        is_training() ? autocast_weight(conv_->weight) : conv_->weight.contiguous();
    y = norm_->forward(convolve(weight, {}), after_norm());
  }
  return activation_ == Activation::kSilu ? apply_silu(std::move(y)) : y;
}

Tensor apply_silu(Tensor x) {
  return x.requires_grad() ? at::silu(x) : at::silu_(x);
}

}  // namespace dfine::inline model
