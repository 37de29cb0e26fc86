#include "learner/learner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/consistency_check.h"
#include "learner/build_model.h"
#include "learner/parameter_groups.h"
#include "model/staged_copy.h"
#include "optim/clip.h"
#include "optim/schedule.h"
#include "weights/weights.h"

namespace dfine::inline learner {
using enum ErrorCode;
namespace {

std::string describe_shapes(const DFine& model) {
  std::string text;
  for (const auto& item : model.named_parameters())
    text += str_cat(item.key(), " ", item.value().sizes(),
                    item.value().requires_grad() ? "\n" : " frozen\n");
  return text;
}

std::vector<Tensor> values(const std::map<std::string, Tensor>& tensors) {
  std::vector<Tensor> list;
  for (const auto& [name, tensor] : tensors) list.push_back(tensor);
  return list;
}

}  // namespace

Learner::Learner(std::shared_ptr<DFine> model, LearnerOptions options, const Communicator& group)
    : options_(std::move(options)), group_(group), model_(std::move(model)) {
  check_agreement(group, "the model's parameters", describe_shapes(*model_));
  move_to(*model_, group.device());
  model_->train();
  model_->set_group(group);
  model_->lay_out_for_training();

  group.broadcast(values(named_tensors(*model_)), 0);

  trained_ = trained_parameters(*model_);
  step_.emplace(
      *model_, trained_,
      Criterion({.num_classes = model_->spec().num_classes, .reg_max = model_->spec().reg_max}),
      group, options_.step);
  if (options_.step.autocast == at::kHalf) scaler_.emplace();
  optimizer_.emplace(parameter_groups(*model_, options_.optimizer));
  for (const auto& parameters : optimizer_->groups()) base_lr_.push_back(parameters.hyper.lr);
  if (options_.ema)
    ema_.emplace(named_tensors(*model_), options_.ema->decay, options_.ema->warmup_steps);
}

LearnerState Learner::state() const {
  require_settled();
  LearnerState state;
  state.model = named_tensors(*model_);
  state.optimizer = optimizer_->state();
  if (scaler_) state.scaler = scaler_->state();
  if (ema_) state.ema = {ema_->averages(), ema_->updates(), ema_->restarted_decay()};
  return state;
}

void Learner::load(const LearnerState& saved) {
  require_settled();
  const LearnerState state = to_device(saved, group_.device());
  const auto mine = named_tensors(*model_);
  if (ema_ && state.ema) require_same_tensors(state.ema->tensors, mine);
  require_same_tensors(state.model, mine);
  optimizer_->load(state.optimizer);
  restore_tensors(state.model, mine);
  if (scaler_ && state.scaler) scaler_->load(*state.scaler);
  if (ema_ && state.ema) {
    ema_->load(state.ema->tensors, state.ema->updates, state.ema->restarted_decay);
  } else if (ema_) {
    log::warn(
        "ema.enabled, but the checkpoint has no EMA: it starts from the checkpoint's "
        "weights");
    ema_->load(state.model, 0, ema_->restarted_decay());
  }
}

void Learner::share() {
  require_settled();
  group_.broadcast(values(named_tensors(*model_)), 0);
  // Which parameters have moments is rank zero's to say too.
  AdamWState optimizer = optimizer_->state();
  std::vector<int64_t> indices;
  for (const auto& [index, moments] : optimizer.moments) indices.push_back(index);
  indices = group_.broadcast(indices, 0);
  if (group_.rank() != 0) {
    optimizer_->allocate_moments();
    optimizer = optimizer_->state();
    std::erase_if(optimizer.moments, [&](const auto& parameter) {
      return !std::ranges::binary_search(indices, parameter.first);
    });
    optimizer_->load(optimizer);
  }
  std::vector<Tensor> moments;
  for (const auto& [index, m] : optimizer_->state().moments)
    moments.insert(moments.end(), {m.step, m.exp_avg, m.exp_avg_sq});
  group_.broadcast(moments, 0);
  if (scaler_) scaler_->load(group_.broadcast(scaler_->state(), 0));
  if (!ema_) return;
  const int64_t updates = group_.broadcast(ema_->updates(), 0);
  ema_->load(ema_->averages(), updates, group_.broadcast(ema_->restarted_decay(), 0));
  group_.broadcast(values(ema_->averages()), 0);
}

void Learner::begin_step(const std::vector<Batch>& batches, ImageSize size, int64_t step,
                         std::optional<int64_t> schedule_step) {
  std::vector<MicroBatch> parts;
  for (const Batch& batch : batches) {
    parts.push_back(
        {.images = [&] { return to_model_input(batch.images, group_.device(), at::kFloat, size); },
         .targets = batch.targets});
  }
  const StepKey key{.seed = options_.seed, .step = step};
  const StepLosses found = step_->run(parts, key, [&] {
    // The host has waited for the matching costs, and so for all that the step before issued.
    read_report();
    return scaler_ ? scaler_->scale() : 1.0;
  });
  if (scaler_) scaler_->unscale(trained_);
  const Tensor grad_norm = clip_grad_norm(trained_, options_.clip_norm);
  const Tensor sums = report(found.losses, grad_norm);
  const double factor = lr_multiplier(options_.schedule, schedule_step.value_or(step));
  StepResult result;
  result.lr = options_.optimizer.lr * factor;
  result.without_denoising = found.without_denoising;
  unreported_.emplace(std::move(result), found.losses.names, HostCopy(sums));
  for (size_t g = 0; g < base_lr_.size(); ++g) optimizer_->set_lr(g, base_lr_[g] * factor);
  if (options_.late_report) {
    update(sums.sum().isfinite().logical_not().to(trained_.front().scalar_type()));
  } else {
    settle();
    update(results_.back().outcome == StepOutcome::kUpdated);
  }
  // Undefined, not zero: AdamW passes over a parameter that took no part in a step, and the next
  // backward pass need not add.
  for (Tensor& parameter : trained_) parameter.mutable_grad().reset();
}

StepResult Learner::step(const std::vector<Batch>& batches, ImageSize size, int64_t step,
                         std::optional<int64_t> schedule_step) {
  begin_step(batches, size, step, schedule_step);
  settle();
  return take_results().back();
}

std::vector<StepResult> Learner::take_results() {
  return std::exchange(results_, {});
}

void Learner::settle() {
  if (!unreported_) return;
  unreported_->sums.wait();
  read_report();
}

Tensor Learner::report(const Losses& losses, const Tensor& grad_norm) const {
  // The gradients are the same on all ranks, since the reducer has averaged them, and so is their
  // norm.
  Tensor sums = at::cat({losses.values.to(at::kDouble), grad_norm.to(at::kDouble).reshape({1})});
  group_.all_reduce_sum(sums);
  return sums.div_(group_.size());
}

void Learner::read_report() {
  if (!unreported_) return;
  StepResult& result = unreported_->result;
  const auto* sums = unreported_->sums.tensor().const_data_ptr<double>();
  for (const std::string& name : unreported_->names) {
    result.losses.emplace_back(name, *sums++);
    result.loss += result.losses.back().second;
  }
  result.grad_norm = *sums;
  const bool finite = std::isfinite(result.loss) && std::isfinite(result.grad_norm);
  if (!finite) {
    result.outcome = std::isfinite(result.loss) && scaler_ && scaler_->can_back_off()
                         ? StepOutcome::kOverflowed
                         : StepOutcome::kNotFinite;
    if (options_.late_report && ema_) ema_->take_back_update();
  }
  if (scaler_ && std::isfinite(result.loss)) scaler_->update(/*overflow=*/!finite);
  results_.push_back(std::move(result));
  unreported_.reset();
}

void Learner::update(bool finite) {
  if (!finite) {
    step_->restore_buffers();
    return;
  }
  optimizer_->step();
  if (ema_) ema_->update();
}

void Learner::update(const Tensor& skip) {
  optimizer_->step(skip);
  step_->restore_buffers(skip);
  if (ema_) ema_->update(skip);
}

void Learner::require_settled() const {
  if (unreported_) throw Error(kInternal, "the learner's last step is not settled");
}

}  // namespace dfine::inline learner
