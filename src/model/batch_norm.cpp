#include "model/batch_norm.h"

#include <ATen/ATen.h>

#include "distributed/sync_batch_norm.h"

namespace dfine::inline model {
namespace {
constexpr double kEps = 1e-5;
constexpr double kMomentum = 0.1;
}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, BatchNormOptions options) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  if (options.counts_batches)
    num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

void BatchNorm2d::freeze() {
  frozen_ = true;
  weight_.requires_grad_(false);
  bias_.requires_grad_(false);
}

BatchNorm2d::Affine BatchNorm2d::affine() const {
  const Tensor scale = weight_ * (running_var_ + kEps).rsqrt();
  return {scale, bias_ - running_mean_ * scale};
}

Tensor BatchNorm2d::forward(const Tensor& x, const NormReluOptions& after) {
  const bool live = is_training() && !frozen_;
  if (live && num_batches_tracked_.defined()) num_batches_tracked_.add_(1);
  if (live && can_norm_relu(x)) {
    return norm_relu(x, weight_, bias_, {running_mean_, running_var_, kMomentum}, kEps, group_,
                     after);
  }
  return relu_affine(normalise(x), after);
}

Tensor BatchNorm2d::normalise(const Tensor& x) {
  if (frozen_) {
    const auto [scale, shift] = affine();
    return x * scale.view({-1, 1, 1}) + shift.view({-1, 1, 1});
  }
  const bool live = is_training();
  if (live && !group_.is_single())
    return sync_batch_norm(x, weight_, bias_, running_mean_, running_var_, kMomentum, kEps, group_);
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, /*training=*/live,
                        kMomentum, kEps, /*cudnn_enabled=*/true);
}

Tensor relu_affine(Tensor x, const NormReluOptions& options) {
  if (options.relu) x = x.relu_();
  return options.scale.defined() ? at::addcmul(options.bias, options.scale, x) : x;
}

}  // namespace dfine::inline model
