#include "distributed/sync_batch_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "distributed/saved_group.h"
#include "distributed/sync_batch_norm_cpu.h"

namespace dfine::inline distributed {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct Statistics {
  Tensor mean;    // [C] over all ranks
  Tensor spread;  // [C]; CPU: biased variance; CUDA: 1 / sqrt(variance + eps)
  Tensor counts;  // [R] values a channel on each rank
};

// Joins the ranks' means and sums of squared deviations (Chan, Golub and LeVeque, 1983), in double
// and in the order of the ranks.
Statistics statistics_cpu(const Tensor& x, Tensor& running_mean, Tensor& running_var,
                          double momentum, const Communicator& group) {
  const int64_t channels = x.size(1);
  const auto count = static_cast<double>(x.numel() / channels);
  const auto [local_mean, local_var] = at::batch_norm_update_stats(x, {}, {}, 0.0);
  const Tensor mine = at::cat({local_mean.to(at::kDouble), local_var.to(at::kDouble) * count,
                               at::full({1}, count, at::kDouble)});
  const Tensor all = group.all_gather(mine);         // [R, 2C + 1]
  const Tensor counts = all.slice(1, 2 * channels);  // [R, 1]
  const Tensor means = all.slice(1, 0, channels);    // [R, C]
  const Tensor squares = all.slice(1, channels, 2 * channels);
  const double total = counts.sum().item<double>();
  if (total < 2)
    throw Error(
        ErrorCode::kConflictingSettings,
        str_cat("Batch norm in training needs more than one value a channel over all ranks; got an "
                "input of ",
                x.sizes(), "."));
  const Tensor mean = (means * (counts / total)).sum(0);                      // [C]
  const Tensor square = (squares + counts * (means - mean).square()).sum(0);  // [C]
  running_mean.mul_(1 - momentum).add_(mean.to(running_mean.scalar_type()), momentum);
  running_var.mul_(1 - momentum)
      .add_((square / (total - 1)).to(running_var.scalar_type()), momentum);
  return {mean.to(x.scalar_type()), (square / total).to(x.scalar_type()), counts.flatten()};
}

Statistics statistics_cuda(const Tensor& x, Tensor& running_mean, Tensor& running_var,
                           double momentum, double eps, const Communicator& group) {
  const int64_t channels = x.size(1);
  const auto [local_mean, local_invstd] = at::batch_norm_stats(x, eps);
  const Tensor count =
      at::full({1}, static_cast<double>(x.numel() / channels), local_mean.options());
  const Tensor all = group.all_gather(at::cat({local_mean, local_invstd, count}));  // [R, 2C + 1]
  const Tensor counts = all.select(1, 2 * channels).contiguous();                   // [R]
  const auto [mean, invstd] = at::batch_norm_gather_stats_with_counts(
      x, all.slice(1, 0, channels), all.slice(1, channels, 2 * channels), running_mean, running_var,
      momentum, eps, counts);
  return {mean, invstd, counts};
}

struct Gradients {
  Tensor input, weight, bias;
};

Gradients gradients_cpu(const Tensor& grad, const Tensor& x, const Tensor& weight,
                        const Statistics& s, double eps, const Communicator& group,
                        bool needs_input) {
  // In evaluation mode the native kernel sums over this rank's values alone, around the mean and
  // variance it is given.
  const auto [unused, grad_weight, grad_bias] = at::native_batch_norm_backward(
      grad, x, weight, s.mean, s.spread, {}, {}, /*train=*/false, eps, {false, true, true});
  if (!needs_input) return {{}, grad_weight, grad_bias};
  Tensor sums = at::stack({grad_weight, grad_bias})
                    .to(at::kDouble);  // [2, C]: sum of grad * normalised x, sum of grad
  group.all_reduce_sum(sums);
  sums /= s.counts.sum();
  const Tensor invstd = (s.spread.to(at::kDouble) + eps).rsqrt();
  const auto type = x.scalar_type();
  return {batch_norm_input_gradient(grad, x, s.mean, sums[1].to(type), (sums[0] * invstd).to(type),
                                    (invstd * weight).to(type)),
          grad_weight, grad_bias};
}

Gradients gradients_cuda(const Tensor& grad, const Tensor& x, const Tensor& weight,
                         const Statistics& s, const Communicator& group, bool needs_input) {
  const auto [sum_grad, sum_grad_x, grad_weight, grad_bias] =
      at::batch_norm_backward_reduce(grad, x, s.mean, s.spread, weight, needs_input, true, true);
  if (!needs_input) return {{}, grad_weight, grad_bias};
  Tensor sums = at::stack({sum_grad, sum_grad_x});  // [2, C]
  group.all_reduce_sum(sums);
  return {at::batch_norm_backward_elemt(grad, x, s.mean, s.spread, weight, sums[0], sums[1],
                                        s.counts.to(at::kInt)),
          grad_weight, grad_bias};
}

class SyncBatchNorm : public torch::autograd::Function<SyncBatchNorm> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight,
                        const Tensor& bias, Tensor running_mean, Tensor running_var,
                        double momentum, double eps, const Communicator& group) {
    const Tensor x =
        input.is_contiguous(at::MemoryFormat::ChannelsLast) ? input : input.contiguous();
    Statistics s;
    Tensor y;
    if (x.is_cuda()) {
      s = statistics_cuda(x, running_mean, running_var, momentum, eps, group);
      y = at::batch_norm_elemt(x, weight, bias, s.mean, s.spread, eps);
    } else {
      s = statistics_cpu(x, running_mean, running_var, momentum, group);
      y = std::get<0>(
          at::native_batch_norm(x, weight, bias, s.mean, s.spread, /*training=*/false, 0.0, eps));
    }
    ctx->save_for_backward({x, weight, s.mean, s.spread, s.counts});
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["group"] = save_group(group);
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, tensor_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Statistics s{saved[2], saved[3], saved[4]};
    const Communicator group = saved_group(ctx->saved_data["group"]);
    const Tensor grad = grads[0].contiguous(x.is_contiguous() ? at::MemoryFormat::Contiguous
                                                              : at::MemoryFormat::ChannelsLast);
    const bool needs_input = ctx->needs_input_grad(0);
    const Gradients g = x.is_cuda()
                            ? gradients_cuda(grad, x, weight, s, group, needs_input)
                            : gradients_cpu(grad, x, weight, s, ctx->saved_data["eps"].toDouble(),
                                            group, needs_input);
    return {g.input, g.weight, g.bias, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor sync_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                       Tensor& running_mean, Tensor& running_var, double momentum, double eps,
                       const Communicator& group) {
  if (group.is_single()) {
    return at::batch_norm(x, weight, bias, running_mean, running_var, /*training=*/true, momentum,
                          eps, /*cudnn_enabled=*/true);
  }
  if (x.is_cpu() && at::isReducedFloatingType(x.scalar_type())) {
    return SyncBatchNorm::apply(x.to(at::kFloat), weight, bias, running_mean, running_var, momentum,
                                eps, group)
        .to(x.scalar_type());
  }
  return SyncBatchNorm::apply(x, weight, bias, running_mean, running_var, momentum, eps, group);
}

}  // namespace dfine::inline distributed
