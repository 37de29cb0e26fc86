#include "learner/learner_state.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "model/staged_copy.h"

namespace dfine::inline learner {

void require_same_tensors(const std::map<std::string, Tensor>& saved,
                          const std::map<std::string, Tensor>& model) {
  std::string problems;
  for (const auto& [name, mine] : model) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems += str_cat("\n  ", name, ": missing");
    } else if (found->second.sizes() != mine.sizes() ||
               found->second.scalar_type() != mine.scalar_type()) {
      problems +=
          str_cat("\n  ", name, ": ", found->second.dtype().name(), " ", found->second.sizes(),
                  ", the model has ", mine.dtype().name(), " ", mine.sizes());
    }
  }
  for (const auto& [name, tensor] : saved)
    if (!model.contains(name)) problems += str_cat("\n  ", name, ": the model has no such tensor");
  if (!problems.empty())
    throw Error(ErrorCode::kCheckpointMismatch,
                "the saved weights are not those of this model:" + problems,
                "The model's settings must be the same.");
}

void restore_tensors(const std::map<std::string, Tensor>& saved,
                     const std::map<std::string, Tensor>& model) {
  const at::NoGradGuard no_grad;
  require_same_tensors(saved, model);
  for (const auto& [name, mine] : model) Tensor(mine).copy_(saved.at(name));
}

namespace {

std::vector<Tensor*> tensors_of(LearnerState& state) {
  std::vector<Tensor*> places;
  const auto add = [&](Tensor& tensor) {
    if (tensor.defined()) places.push_back(&tensor);
  };
  for (auto& [name, tensor] : state.model) add(tensor);
  if (state.ema)
    for (auto& [name, tensor] : state.ema->tensors) add(tensor);
  for (auto& [index, moments] : state.optimizer.moments)
    for (Tensor* tensor : {&moments.step, &moments.exp_avg, &moments.exp_avg_sq}) add(*tensor);
  return places;
}

}  // namespace

LearnerState to_device(LearnerState state, at::Device device) {
  const std::vector<Tensor*> places = tensors_of(state);
  std::vector<Tensor> tensors;
  for (const Tensor* place : places) tensors.push_back(*place);
  const std::vector<Tensor> there = staged_copy(tensors, device);
  for (size_t i = 0; i < places.size(); ++i) *places[i] = there[i];
  return state;
}

LearnerState host_copy(LearnerState state) {
  const at::NoGradGuard no_grad;
  for (Tensor* tensor : tensors_of(state))
    if (tensor->is_cpu()) *tensor = tensor->detach().clone();
  return to_device(std::move(state), at::kCPU);
}

}  // namespace dfine::inline learner
