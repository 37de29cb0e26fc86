#include "learner/broadcast_state.h"

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "weights/weights.h"

namespace dfine::inline learner {
namespace {

std::vector<Tensor> values(const std::map<std::string, Tensor>& tensors) {
  std::vector<Tensor> list;
  for (const auto& [name, tensor] : tensors) list.push_back(tensor);
  return list;
}

/// Which parameters have moments is rank zero's to say too.
void share_optimizer(AdamW& optimizer, const Communicator& group) {
  AdamWState state = optimizer.state();
  std::string known;
  for (const auto& [index, moments] : state.moments) known += str_cat(index, " ");
  std::istringstream indices(group.broadcast(known, 0));
  if (group.rank() != 0) {
    state.moments.clear();
    std::vector<Tensor> parameters;
    for (const ParameterGroup& g : optimizer.groups())
      parameters.insert(parameters.end(), g.parameters.begin(), g.parameters.end());
    for (int64_t index = 0; indices >> index;) {
      const Tensor zero = at::zeros_like(parameters.at(static_cast<size_t>(index)));
      state.moments[index] = {at::zeros({}, at::kFloat), zero, zero};
    }
    optimizer.load(state);
  }
  std::vector<Tensor> tensors;
  for (const auto& [index, moments] : optimizer.state().moments)
    tensors.insert(tensors.end(), {moments.step, moments.exp_avg, moments.exp_avg_sq});
  group.broadcast(tensors, 0);
}

/// Rank zero's numbers on every rank.
std::vector<double> share(std::vector<double> numbers, const Communicator& group) {
  if (group.rank() != 0) numbers.assign(numbers.size(), 0);
  return group.sum(std::move(numbers));
}

void share_average(Ema& ema, const Communicator& group) {
  const auto restarted = ema.restarted_decay();
  const auto numbers = share(
      {static_cast<double>(ema.updates()), restarted ? 1.0 : 0.0, restarted.value_or(0)}, group);
  ema.load(ema.averages(), static_cast<int64_t>(numbers[0]),
           numbers[1] != 0 ? std::optional(numbers[2]) : std::nullopt);
  group.broadcast(values(ema.averages()), 0);
}

void share_scale(GradScaler& scaler, const Communicator& group) {
  const auto numbers =
      share({scaler.state().scale, static_cast<double>(scaler.state().good_steps)}, group);
  scaler.load(
      {.scale = static_cast<float>(numbers[0]), .good_steps = static_cast<int64_t>(numbers[1])});
}

}  // namespace

void broadcast_state(Learner& learner, const Communicator& group) {
  group.broadcast(values(named_tensors(learner.model())), 0);
  share_optimizer(learner.optimizer(), group);
  if (learner.ema() != nullptr) share_average(*learner.ema(), group);
  if (learner.scaler() != nullptr) share_scale(*learner.scaler(), group);
}

}  // namespace dfine::inline learner
