#include "model/fixed_conv.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace dfine::inline model {
namespace {

// Operators of LibTorch that have no C++ function of their own.
using Convolve = Tensor(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias,
                        at::IntArrayRef padding, at::IntArrayRef stride, at::IntArrayRef dilation,
                        int64_t groups, std::string_view activation,
                        c10::List<std::optional<at::Scalar>> parameters,
                        std::optional<std::string_view> algorithm);
using Rearrange = Tensor(const Tensor& weight, at::IntArrayRef padding, at::IntArrayRef stride,
                         at::IntArrayRef dilation, int64_t groups,
                         at::OptionalIntArrayRef input_size);

template <class Signature>
c10::TypedOperatorHandle<Signature> find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kSilu:
      return "swish";
  }
  return "none";
}

}  // namespace

FixedConv::FixedConv(Tensor weight, Tensor bias, const ConvShape& shape, Activation activation,
                     Operators operators)
    : weight_(weight.contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(std::move(bias)),
      shape_(shape),
      activation_(activation),
      operators_(operators) {}

Tensor FixedConv::with_onednn(const Tensor& x) {
  static const auto convolve = find_operator<Convolve>("mkldnn::_convolution_pointwise");
  static const auto rearrange = find_operator<Rearrange>("mkldnn::_reorder_convolution_weight");
  const std::array<int64_t, 2> padding{shape_.padding(), shape_.padding()},
      stride{shape_.stride, shape_.stride}, dilation{1, 1};
  if (!weight_.is_mkldnn())
    weight_ = rearrange.call(weight_, padding, stride, dilation, shape_.groups, x.sizes());
  return convolve.call(x, weight_, bias_, padding, stride, dilation, shape_.groups,
                       name_of(activation_), c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

Tensor FixedConv::forward(const Tensor& x) {
  if (operators_ == Operators::kFused && x.is_cpu() && x.scalar_type() == at::kFloat)
    return with_onednn(x);
  Tensor y =
      at::conv2d(x, weight_, bias_, shape_.stride, shape_.padding(), /*dilation=*/1, shape_.groups);
  switch (activation_) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      at::relu_(y);
      break;
    case Activation::kSilu:
      at::silu_(y);
      break;
  }
  return y;
}

}  // namespace dfine::inline model
