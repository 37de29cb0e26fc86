#include "ops/deformable_sampling.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"
#include "core/text.h"
#include "ops/deformable_sampling_cpu.h"
#ifdef DFINE_CUDA
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "ops/deformable_sampling_cuda.h"
#endif

namespace dfine::inline ops {
using enum ErrorCode;
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kQueriesOfAThread = 16;  // at least, so that starting it pays

/// layout: height, width and number of points of each level.
SamplingShape shape_of(const Tensor& tokens, const Tensor& weights,
                       const std::vector<int64_t>& layout) {
  SamplingShape shape{};
  shape.batch = tokens.size(0);
  shape.tokens = tokens.size(1);
  shape.queries = weights.size(1);
  shape.heads = weights.size(2);
  shape.points = weights.size(3);
  shape.channels = tokens.size(2) / shape.heads;
  shape.num_levels = static_cast<int>(layout.size() / 3);
  int64_t token = 0, point = 0;
  for (int i = 0; i < shape.num_levels; ++i) {
    const int64_t *const level = &layout[static_cast<size_t>(i) * 3], height = level[0],
                         width = level[1];
    point += level[2];
    shape.levels[i] = {height, width, token, point};
    token += height * width;
  }
  if (token != shape.tokens || point != shape.points ||
      shape.channels * shape.heads != tokens.size(2) || weights.size(0) != shape.batch)
    throw Error(kInternal, str_cat("deformable sampling got tokens of shape ", tokens.sizes(),
                                   " and weights of shape ", weights.sizes(), " for ", token,
                                   " tokens and ", point, " points of all levels"));
  return shape;
}

template <typename Value, typename Real>
SamplingInputs<Value, Real> inputs_of(const Tensor& tokens, const Tensor& locations,
                                      const Tensor& weights) {
  return {static_cast<const Value*>(tokens.const_data_ptr()), locations.const_data_ptr<Real>(),
          weights.const_data_ptr<Real>()};
}

template <typename Value, typename Real>
void forward_as(const SamplingShape& shape, const Tensor& tokens, const Tensor& locations,
                const Tensor& weights, const Tensor& out) {
  const auto in = inputs_of<Value, Real>(tokens, locations, weights);
  Real* const result = out.mutable_data_ptr<Real>();
#ifdef DFINE_CUDA
  if (tokens.is_cuda()) {
    const c10::cuda::CUDAGuard guard(tokens.device());
    sample_on_cuda(shape, in, result, c10::cuda::getCurrentCUDAStream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return;
  }
#endif
  at::parallel_for(
      0, shape.batch * shape.queries * shape.heads, kQueriesOfAThread * shape.heads,
      [&](int64_t begin, int64_t end) { sample_on_cpu(shape, in, result, begin, end); });
}

struct Gradients {
  Tensor tokens, locations, weights;  // undefined where not wanted
};

template <typename Value, typename Real>
void backward_as(const SamplingShape& shape, const Tensor& tokens, const Tensor& locations,
                 const Tensor& weights, const Tensor& gradient, const Gradients& gradients) {
  const auto pointer = [](const Tensor& x) {
    return x.defined() ? x.mutable_data_ptr<Real>() : nullptr;
  };
  const auto in = inputs_of<Value, Real>(tokens, locations, weights);
  const SamplingGradients<Real> out{pointer(gradients.tokens), pointer(gradients.locations),
                                    pointer(gradients.weights)};
  const Real* const mine = gradient.const_data_ptr<Real>();
#ifdef DFINE_CUDA
  if (tokens.is_cuda()) {
    const c10::cuda::CUDAGuard guard(tokens.device());
    sample_backward_on_cuda(shape, in, mine, out, c10::cuda::getCurrentCUDAStream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return;
  }
#endif
  at::parallel_for(0, shape.batch * shape.heads, 1, [&](int64_t begin, int64_t end) {
    sample_backward_on_cpu(shape, in, mine, out, begin, end);
  });
}

/// Calls body<Value, Real>() for the tokens' type.
template <typename Body>
void with_types(const Tensor& tokens, Body body) {
  switch (tokens.scalar_type()) {
    case at::kBFloat16:
      return body.template operator()<Bfloat16, float>();
    case at::kDouble:
      return body.template operator()<double, double>();
    default:
      return body.template operator()<float, float>();
  }
}

struct DeformableSampling : torch::autograd::Function<DeformableSampling> {
  static Tensor forward(AutogradContext* context, const Tensor& tokens, const Tensor& locations,
                        const Tensor& weights, const std::vector<int64_t>& layout) {
    const SamplingShape shape = shape_of(tokens, weights, layout);
    Tensor out =
        at::empty({shape.batch, shape.queries, shape.heads * shape.channels}, locations.options());
    with_types(tokens, [&]<typename Value, typename Real>() {
      forward_as<Value, Real>(shape, tokens, locations, weights, out);
    });
    context->save_for_backward({tokens, locations, weights});
    context->saved_data["layout"] = layout;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &tokens = saved[0], &locations = saved[1], &weights = saved[2];
    const SamplingShape shape =
        shape_of(tokens, weights, context->saved_data["layout"].toIntVector());
    Gradients wanted;
    if (context->needs_input_grad(0))
      wanted.tokens = at::zeros(tokens.sizes(), locations.options());
    if (context->needs_input_grad(1) || context->needs_input_grad(2)) {
      wanted.locations = at::empty_like(locations);
      wanted.weights = at::empty_like(weights);
    }
    const Tensor gradient = gradients[0].contiguous();
    with_types(tokens, [&]<typename Value, typename Real>() {
      backward_as<Value, Real>(shape, tokens, locations, weights, gradient, wanted);
    });
    if (wanted.tokens.defined()) wanted.tokens = wanted.tokens.to(tokens.scalar_type());
    return {wanted.tokens, wanted.locations, wanted.weights, {}};
  }
};

}  // namespace

Tensor deformable_sampling(const Tensor& tokens, const std::vector<LevelShape>& levels,
                           const Tensor& locations, const Tensor& weights,
                           const std::vector<int64_t>& num_points) {
  if (levels.size() != num_points.size() || levels.size() > SamplingShape::kMaxLevels)
    throw Error(kInternal, str_cat("deformable sampling got ", levels.size(), " levels and ",
                                   num_points.size(), " numbers of points; at most ",
                                   SamplingShape::kMaxLevels, " levels are possible"));
  std::vector<int64_t> layout;
  for (size_t i = 0; i < levels.size(); ++i)
    layout.insert(layout.end(), {levels[i].height, levels[i].width, num_points[i]});
  const at::ScalarType real = locations.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const bool as_it_is = real == at::kFloat && tokens.scalar_type() == at::kBFloat16;
  return DeformableSampling::apply((as_it_is ? tokens : tokens.to(real)).contiguous(),
                                   locations.to(real).contiguous(), weights.to(real).contiguous(),
                                   layout);
}

}  // namespace dfine::inline ops
