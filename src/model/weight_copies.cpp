#include "model/weight_copies.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>
#include <vector>

namespace dfine::inline model {
namespace {

thread_local WeightCopies* in_use = nullptr;

struct CopyOfWeight : torch::autograd::Function<CopyOfWeight> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& weight,
                        const Tensor& copy) {
    context->saved_data["type"] = weight.scalar_type();
    return copy.detach();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {gradients[0].to(context->saved_data["type"].toScalarType()), Tensor()};
  }
};

}  // namespace

WeightCopies::Use::Use(WeightCopies& copies, std::optional<at::ScalarType> type)
    : before_(std::exchange(in_use, type ? &copies : nullptr)) {
  if (type) copies.renew(*type);
}

WeightCopies::Use::~Use() {
  if (in_use) {
    for (auto& [weight, copy] : in_use->copies_) copy.in_graph.reset();
  }
  in_use = before_;
}

void WeightCopies::renew(at::ScalarType type) {
  if (std::exchange(type_, type) != type) copies_.clear();
  std::vector<Tensor> values, weights;
  for (const auto& [key, copy] : copies_) {
    values.push_back(copy.value);
    weights.push_back(copy.weight);
  }
  const at::NoGradGuard no_grad;
  if (!values.empty()) at::_foreach_copy_(values, weights);
}

Tensor WeightCopies::of(const Tensor& weight) {
  Copy& copy = copies_[weight.unsafeGetTensorImpl()];
  if (!copy.value.defined()) copy = {weight, weight.detach().to(type_), {}};
  if (!at::GradMode::is_enabled() || !weight.requires_grad()) return copy.value;
  if (!copy.in_graph.defined()) copy.in_graph = CopyOfWeight::apply(weight, copy.value);
  return copy.in_graph;
}

Tensor autocast_weight(const Tensor& weight) {
  const bool wanted = in_use && weight.scalar_type() == at::kFloat &&
                      at::autocast::is_autocast_enabled(weight.device().type());
  return wanted ? in_use->of(weight) : weight;
}

}  // namespace dfine::inline model
