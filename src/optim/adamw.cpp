#include "optim/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline optim {
using enum ErrorCode;
namespace {

using Moments = AdamWState::Moments;

void check_groups(const std::vector<ParameterGroup>& groups) {
  std::set<const void*> seen;
  const Tensor* first = nullptr;
  for (const ParameterGroup& group : groups) {
    if (group.names.size() != group.parameters.size())
      throw Error(kInternal, str_cat("a parameter group has ", group.names.size(), " names for ",
                                     group.parameters.size(), " parameters"));
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const Tensor& parameter = group.parameters[i];
      if (!first) first = &parameter;
      if (!parameter.is_floating_point() || parameter.dtype() != first->dtype() ||
          parameter.device() != first->device())
        throw Error(
            kInternal,
            str_cat("parameter ", group.names[i], " is ", parameter.dtype().name(), " on ",
                    parameter.device().str(), ", others are ", first->dtype().name(), " on ",
                    first->device().str(), "; AdamW needs one floating type and device"));
      if (!parameter.is_non_overlapping_and_dense())
        throw Error(kInternal, str_cat("parameter ", group.names[i], " is not dense"));
      if (!seen.insert(parameter.unsafeGetTensorImpl()).second)
        throw Error(kInternal, str_cat("parameter ", group.names[i], " is listed twice"));
    }
  }
}

Moments new_moments(const Tensor& parameter) {
  return {at::zeros({}, parameter.options().dtype(at::kFloat)), at::zeros_like(parameter),
          at::zeros_like(parameter)};
}

/// Dimensions of size one aside, whose stride means nothing.
bool same_layout(const Tensor& one, const Tensor& other) {
  for (int64_t i = 0; i < one.dim(); ++i)
    if (one.size(i) != 1 && one.stride(i) != other.stride(i)) return false;
  return true;
}

/// The fused kernel walks all its tensors in memory order, so that a gradient must be laid out as
/// its parameter.
Tensor laid_out_as(const Tensor& parameter, const Tensor& gradient) {
  if (gradient.strides() == parameter.strides()) return gradient;
  if (same_layout(parameter, gradient))
    return gradient.as_strided(parameter.sizes(), parameter.strides());
  return at::empty_like(parameter).copy_(gradient);
}

void check_same_shape(const std::string& name, const char* what, const Tensor& mine,
                      const Tensor& theirs) {
  if (!theirs.defined())
    throw Error(kCheckpointMismatch, str_cat("the optimizer state of ", name, " lacks ", what));
  if (theirs.sizes() != mine.sizes())
    throw Error(kCheckpointMismatch,
                str_cat("the optimizer state of ", name, " has ", what, " of shape ",
                        theirs.sizes(), ", the parameter has ", mine.sizes()));
}

}  // namespace

AdamW::AdamW(std::vector<ParameterGroup> groups) : groups_(std::move(groups)) {
  check_groups(groups_);
  for (const ParameterGroup& group : groups_) moments_.emplace_back(group.parameters.size());
}

void AdamW::step(const std::optional<Tensor>& skip) {
  const at::NoGradGuard no_grad;
  const Tensor made = skip ? 1 - *skip : Tensor();  // of steps: 0 or 1
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::vector<Tensor> parameters, gradients, exp_avgs, exp_avg_sqs, steps;
    for (size_t i = 0; i < groups_[g].parameters.size(); ++i) {
      const Tensor& parameter = groups_[g].parameters[i];
      if (!parameter.grad().defined()) continue;
      Moments& moments = moments_[g][i];
      if (!moments.step.defined()) moments = new_moments(parameter);
      parameters.push_back(parameter);
      gradients.push_back(laid_out_as(parameter, parameter.grad()));
      exp_avgs.push_back(moments.exp_avg);
      exp_avg_sqs.push_back(moments.exp_avg_sq);
      steps.push_back(moments.step);
    }
    if (parameters.empty()) continue;
    const AdamWHyperparameters& h = groups_[g].hyper;
    if (skip) {
      at::_foreach_add_(steps, made);
    } else {
      at::_foreach_add_(steps, 1);
    }
    at::_fused_adamw_(parameters, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps,
                      h.lr, h.beta1, h.beta2, h.weight_decay, h.eps, /*amsgrad=*/false,
                      /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/skip);
  }
}

void AdamW::allocate_moments() {
  const at::NoGradGuard no_grad;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < moments_[g].size(); ++i) {
      if (!moments_[g][i].step.defined()) moments_[g][i] = new_moments(groups_[g].parameters[i]);
    }
  }
}

AdamWState AdamW::state() const {
  AdamWState state;
  int64_t index = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    AdamWState::Group group{groups_[g].hyper, {}, groups_[g].names};
    for (const Moments& moments : moments_[g]) {
      if (moments.step.defined()) state.moments[index] = moments;
      group.indices.push_back(index++);
    }
    state.groups.push_back(std::move(group));
  }
  return state;
}

void AdamW::load(const AdamWState& state) {
  const at::NoGradGuard no_grad;
  if (state.groups.size() != groups_.size())
    throw Error(kCheckpointMismatch,
                str_cat("the optimizer state has ", state.groups.size(),
                        " parameter groups, the model ", groups_.size()),
                "Was optim.backbone_lr set or unset since?");
  auto loaded = moments_;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const AdamWState::Group& theirs = state.groups[g];
    const ParameterGroup& mine = groups_[g];
    if (theirs.indices.size() != mine.parameters.size())
      throw Error(
          kCheckpointMismatch,
          str_cat("parameter group ", g, " of the optimizer state has ", theirs.indices.size(),
                  " parameters, the model's has ", mine.parameters.size()),
          "What is frozen must be the same.");
    for (size_t i = 0; i < mine.parameters.size(); ++i) {
      if (!theirs.names.empty() && theirs.names.at(i) != mine.names[i])
        throw Error(kCheckpointMismatch,
                    str_cat("parameter ", i, " of group ", g, " is ", theirs.names[i],
                            " in the optimizer state, ", mine.names[i], " in the model"));
      loaded[g][i] = {};
      const auto found = state.moments.find(theirs.indices[i]);
      if (found == state.moments.end()) continue;
      const Moments& given = found->second;
      Moments moments = new_moments(mine.parameters[i]);
      check_same_shape(mine.names[i], "step", moments.step, given.step);
      check_same_shape(mine.names[i], "exp_avg", moments.exp_avg, given.exp_avg);
      check_same_shape(mine.names[i], "exp_avg_sq", moments.exp_avg_sq, given.exp_avg_sq);
      moments.step.copy_(given.step);
      moments.exp_avg.copy_(given.exp_avg);
      moments.exp_avg_sq.copy_(given.exp_avg_sq);
      loaded[g][i] = std::move(moments);
    }
  }
  moments_ = std::move(loaded);
}

}  // namespace dfine::inline optim
