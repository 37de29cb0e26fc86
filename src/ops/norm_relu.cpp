#include "ops/norm_relu.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "distributed/saved_group.h"
#include "ops/norm_relu_cpu.h"

namespace dfine::inline ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [rows, channels], in parts of rows that a core's cache holds. The parts do not depend on the
/// number of threads, and their sums are added in order.
struct Parts {
  explicit Parts(const Tensor& x)
      : channels(x.size(1)),
        rows(x.numel() / channels),
        rows_of_part(std::max<int64_t>(16, 16'384 / channels)),
        count((rows + rows_of_part - 1) / rows_of_part) {}

  /// Calls body(part, first row, number of rows) on all threads.
  template <typename Body>
  void run(const Body& body) const {
    at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        const int64_t first = part * rows_of_part;
        body(part, first, std::min(rows_of_part, rows - first));
      }
    });
  }

  int64_t channels, rows, rows_of_part, count;
};

struct Moments {
  Tensor mean, squares;  // [C] double: mean, sum of squared deviations from it
  double rows;
};

/// Of groups of rows: [groups, C] each. By Chan, Golub and LeVeque (1983), in order.
Moments join(const Tensor& means, const Tensor& squares, const std::vector<double>& rows) {
  Moments all{at::zeros({means.size(1)}, at::kDouble), at::zeros({means.size(1)}, at::kDouble), 0};
  auto* const mean = all.mean.mutable_data_ptr<double>();
  auto* const square = all.squares.mutable_data_ptr<double>();
  const int64_t channels = means.size(1);
  AT_DISPATCH_FLOATING_TYPES(means.scalar_type(), "join", [&] {
    const auto *of_means = means.const_data_ptr<scalar_t>(),
               *of_squares = squares.const_data_ptr<scalar_t>();
    for (size_t group = 0; group < rows.size(); ++group) {
      all.rows += rows[group];
      const double share = rows[group] / all.rows;
      const double weight = (all.rows - rows[group]) * share;
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t i = static_cast<int64_t>(group) * channels + c;
        const double difference = static_cast<double>(of_means[i]) - mean[c];
        mean[c] += difference * share;
        square[c] += static_cast<double>(of_squares[i]) + difference * difference * weight;
      }
    }
  });
  return all;
}

Moments moments_of(const Tensor& x, const Communicator& group) {
  const Parts parts(x);
  const Tensor means = at::empty({parts.count, parts.channels}, x.options());
  const Tensor squares = at::empty_like(means);
  std::vector<double> rows(static_cast<size_t>(parts.count));
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "moments_of", [&] {
    const auto* const in = x.const_data_ptr<scalar_t>();
    auto *const mean = means.mutable_data_ptr<scalar_t>(), *const square =
                                                               squares.mutable_data_ptr<scalar_t>();
    parts.run([&](int64_t part, int64_t first, int64_t number) {
      const int64_t c = parts.channels;
      moments_of_rows(in + first * c, number, c, mean + part * c, square + part * c);
      rows[static_cast<size_t>(part)] = static_cast<double>(number);
    });
  });
  Moments mine = join(means, squares, rows);
  if (group.is_single()) return mine;
  const Tensor all = group.all_gather(
      at::cat({mine.mean, mine.squares, at::full({1}, mine.rows, at::kDouble)}));  // [R, 2C + 1]
  std::vector<double> counts;
  for (int64_t rank = 0; rank < all.size(0); ++rank)
    counts.push_back(all[rank][2 * parts.channels].item<double>());
  return join(all.slice(1, 0, parts.channels).contiguous(),
              all.slice(1, parts.channels, 2 * parts.channels).contiguous(), counts);
}

/// The affine map of each channel, in x's type.
struct Affine {
  Tensor scale, shift;  // [C]
};

template <typename Real>
NormRelu<Real> pass_of(const Affine& affine, const NormReluOptions& options) {
  const bool block = options.scale.defined();
  return {affine.scale.const_data_ptr<Real>(), affine.shift.const_data_ptr<Real>(), options.relu,
          block ? options.scale.item<Real>() : Real(1),
          block ? options.bias.item<Real>() : Real(0)};
}

struct NormReluFunction : torch::autograd::Function<NormReluFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const std::optional<Tensor>& block_scale,
                        const std::optional<Tensor>& block_bias, bool relu,
                        const RunningStats& running, double eps, const Communicator& group) {
    const Moments moments = moments_of(x, group);
    if (moments.rows < 2)
      throw Error(ErrorCode::kConflictingSettings,
                  str_cat("Batch norm in training needs more than one value a channel over all "
                          "ranks; got an input of ",
                          x.sizes(), "."));
    const auto type = x.scalar_type();
    running.mean.mul_(1 - running.momentum)
        .add_(moments.mean.to(running.mean.scalar_type()), running.momentum);
    running.var.mul_(1 - running.momentum)
        .add_((moments.squares / (moments.rows - 1)).to(running.var.scalar_type()),
              running.momentum);
    const Tensor invstd = (moments.squares / moments.rows + eps).rsqrt();
    const Tensor scale = invstd * weight;
    const Affine affine{scale.to(type), (bias - moments.mean * scale).to(type)};
    const NormReluOptions options{relu, block_scale.value_or(Tensor()),
                                  block_bias.value_or(Tensor())};
    Tensor y = at::empty_like(x);
    const Parts parts(x);
    AT_DISPATCH_FLOATING_TYPES(type, "norm_relu", [&] {
      const NormRelu<scalar_t> op = pass_of<scalar_t>(affine, options);
      const auto* const in = x.const_data_ptr<scalar_t>();
      auto* const out = y.mutable_data_ptr<scalar_t>();
      parts.run([&](int64_t, int64_t first, int64_t number) {
        const int64_t at = first * parts.channels;
        norm_relu_rows(op, in + at, number, parts.channels, out + at);
      });
    });
    context->save_for_backward(
        {x, affine.scale, affine.shift, moments.mean, invstd, options.scale, options.bias});
    context->saved_data["relu"] = relu;
    context->saved_data["rows"] = moments.rows;
    context->saved_data["group"] = save_group(group);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &invstd = saved[4];
    const Affine affine{saved[1], saved[2]};
    const NormReluOptions options{context->saved_data["relu"].toBool(), saved[5], saved[6]};
    const auto type = x.scalar_type();
    const Tensor mean = saved[3].to(type);
    const Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Parts parts(x);
    const Tensor part_sums = at::empty({parts.count, 4, parts.channels}, x.options());
    AT_DISPATCH_FLOATING_TYPES(type, "norm_relu_sums", [&] {
      const NormRelu<scalar_t> op = pass_of<scalar_t>(affine, options);
      const auto *const in = x.const_data_ptr<scalar_t>(), *const from =
                                                               dy.const_data_ptr<scalar_t>();
      auto* const sums = part_sums.mutable_data_ptr<scalar_t>();
      parts.run([&](int64_t part, int64_t first, int64_t number) {
        const int64_t c = parts.channels;
        scalar_t* const mine = sums + part * 4 * c;
        norm_relu_sums_of_rows(op, mean.const_data_ptr<scalar_t>(), in + first * c,
                               from + first * c, number, c,
                               {mine, mine + c, mine + 2 * c, mine + 3 * c});
      });
    });
    const Tensor sums = part_sums.sum(0, /*keepdim=*/false, at::kDouble);  // [4, C]
    variable_list result(9);
    result[1] = (sums[3] * invstd).to(type);
    result[2] = sums[2].to(type);
    if (options.scale.defined()) {
      result[3] = sums[0].sum().to(type).view({1});
      result[4] = sums[1].sum().to(type).view({1});
    }
    if (!context->needs_input_grad(0)) return result;
    Tensor means = sums.slice(0, 2).clone();  // [2, C]: of dz and dz * (x - mean)
    saved_group(context->saved_data["group"]).all_reduce_sum(means);
    means /= context->saved_data["rows"].toDouble();
    const Tensor mean_dz = means[0].to(type), projection = (means[1] * invstd.square()).to(type);
    Tensor dx = at::empty_like(x);
    AT_DISPATCH_FLOATING_TYPES(type, "norm_relu_backward", [&] {
      const NormRelu<scalar_t> op = pass_of<scalar_t>(affine, options);
      const NormReluInputGradient<scalar_t> to{mean.const_data_ptr<scalar_t>(),
                                               mean_dz.const_data_ptr<scalar_t>(),
                                               projection.const_data_ptr<scalar_t>()};
      const auto *const in = x.const_data_ptr<scalar_t>(), *const from =
                                                               dy.const_data_ptr<scalar_t>();
      auto* const out = dx.mutable_data_ptr<scalar_t>();
      parts.run([&](int64_t, int64_t first, int64_t number) {
        const int64_t at = first * parts.channels;
        norm_relu_backward_rows(op, to, in + at, from + at, number, parts.channels, out + at);
      });
    });
    result[0] = dx;
    return result;
  }
};

}  // namespace

bool can_norm_relu(const Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor norm_relu(const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const RunningStats& running, double eps, const Communicator& group,
                 const NormReluOptions& options) {
  const auto if_defined = [](const Tensor& t) {
    return t.defined() ? std::optional<Tensor>(t) : std::nullopt;
  };
  return NormReluFunction::apply(x, weight, bias, if_defined(options.scale),
                                 if_defined(options.bias), options.relu, running, eps, group);
}

}  // namespace dfine::inline ops
