#include "model/batch_norm.h"

#include <ATen/ATen.h>

#include "distributed/sync_batch_norm.h"
#include "ops/affine_block.h"

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

BatchNorm2d::Affine BatchNorm2d::affine() {
  const auto compute = [&] {
    const Tensor scale = weight_ * (running_var_ + kEps).rsqrt();
    return Affine{scale, bias_ - running_mean_ * scale};
  };
  // A graph through weight and bias serves one backward pass.
  if (at::GradMode::is_enabled() && (weight_.requires_grad() || bias_.requires_grad()))
    return compute();
  const auto origin = [](const Tensor& t) { return std::pair{t.const_data_ptr(), t._version()}; };
  return affine_.get({origin(weight_), origin(bias_), origin(running_mean_), origin(running_var_)},
                     compute);
}

Tensor BatchNorm2d::forward(const Tensor& x, const NormReluOptions& after) {
  // Kernels change the running statistics, which their versions do not show.
  if (live()) affine_.clear();
  if (live() && can_norm_relu(x)) {
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
  if (live() && !group_.is_single())
    return sync_batch_norm(x, weight_, bias_, running_mean_, running_var_, kMomentum, kEps, group_);
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, /*training=*/live(),
                        kMomentum, kEps, /*cudnn_enabled=*/true);
}

void count_batch(const std::vector<BatchNorm2d*>& norms) {
  std::vector<Tensor> counters;
  for (const BatchNorm2d* norm : norms)
    if (norm->live() && norm->num_batches_tracked_.defined())
      counters.push_back(norm->num_batches_tracked_);
  if (!counters.empty()) at::_foreach_add_(counters, 1);
}

Tensor relu_affine(Tensor x, const NormReluOptions& options) {
  if (options.relu) x = x.relu_();
  return options.scale.defined() ? affine_block(x, options.scale, options.bias) : x;
}

}  // namespace dfine::inline model
