#include "optim/ema.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sub.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline optim {
using enum ErrorCode;
namespace {

constexpr double kRestartFall = 1e-4;  // det_solver.py

}  // namespace

double ema_decay(double decay, int64_t update, int64_t warmup_steps) {
  if (warmup_steps <= 0) return decay;
  return decay * (1 - std::exp(-static_cast<double>(update) / static_cast<double>(warmup_steps)));
}

Ema::Ema(std::map<std::string, Tensor> model, double decay, int64_t warmup_steps)
    : model_(std::move(model)), decay_(decay), warmup_steps_(warmup_steps) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : model_) {
    const Tensor average = tensor.detach().clone();
    average_.emplace(name, average);
    if (!tensor.is_floating_point()) continue;
    model_list_.push_back(tensor);
    average_list_.push_back(average);
  }
}

void Ema::require_own_place() const {
  if (exchanged_)
    throw Error(kInternal,
                "the moving average is in the model's place and cannot be used meanwhile");
}

void Ema::update() {
  require_own_place();
  const at::NoGradGuard no_grad;
  ++updates_;
  // Written as a + (1 - d)(m - a), so that an average equal to the model stays so to the last bit
  // (frozen weights, constants).
  if (!average_list_.empty()) at::_foreach_lerp_(average_list_, model_list_, 1 - decay_now());
}

void Ema::update(const Tensor& skip) {
  require_own_place();
  const at::NoGradGuard no_grad;
  ++updates_;
  if (average_list_.empty()) return;
  // No multi-tensor operation takes lerp's weight from the device.
  const std::vector<Tensor> change = at::_foreach_sub(model_list_, average_list_);
  at::_foreach_mul_(change, (1 - skip) * (1 - decay_now()));
  at::_foreach_add_(average_list_, change);
}

void Ema::restart(double decay) {
  restarted_decay_ = decay;
}

void Ema::lower_restarted_decay() {
  if (restarted_decay_) restarted_decay_ = std::max(0.0, *restarted_decay_ - kRestartFall);
}

const std::map<std::string, Tensor>& Ema::averages() const {
  require_own_place();
  return average_;
}

void Ema::load(const std::map<std::string, Tensor>& averages, int64_t updates,
               std::optional<double> restarted_decay) {
  require_own_place();
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : averages)
    if (!average_.contains(name))
      throw Error(kCheckpointMismatch, str_cat("the EMA has ", name, ", which the model lacks"));
  for (const auto& [name, mine] : average_) {
    const auto given = averages.find(name);
    if (given == averages.end()) throw Error(kCheckpointMismatch, str_cat("the EMA lacks ", name));
    if (given->second.sizes() != mine.sizes())
      throw Error(kCheckpointMismatch,
                  str_cat("the EMA has ", name, " of shape ", given->second.sizes(), ", the model ",
                          mine.sizes()));
  }
  for (auto& [name, mine] : average_) mine.copy_(averages.at(name));
  updates_ = updates;
  restarted_decay_ = restarted_decay;
}

void Ema::exchange() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < model_list_.size(); ++i) {
    const Tensor kept = model_list_[i].detach().clone();
    model_list_[i].copy_(average_list_[i]);
    average_list_[i].copy_(kept);
  }
  exchanged_ = !exchanged_;
}

}  // namespace dfine::inline optim
