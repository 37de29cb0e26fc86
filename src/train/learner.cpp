#include "train/learner.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "dist/agreement.h"
#include "optim/clip.h"
#include "optim/schedule.h"
#include "state/weights.h"
#include "train/build.h"
#include "train/parameter_groups.h"
#include "train/step.h"

namespace dfine {
namespace {

std::string describe_shapes(const DFine& model) {
  std::string text;
  for (const auto& item : model.named_parameters())
    text += cat(item.key(), " ", item.value().sizes(), item.value().requires_grad() ? "\n" : " frozen\n");
  return text;
}

}  // namespace

Learner::Learner(std::shared_ptr<DFine> model, const Config& config, const Recipe& recipe, const Group& group)
    : config_(config),
      recipe_(recipe),
      group_(group),
      model_(std::move(model)),
      criterion_({.num_classes = model_->spec().num_classes, .reg_max = model_->spec().reg_max}) {
  check_agreement(group, "the model's parameters", describe_shapes(*model_));
  model_->to(group.device());
  model_->train();
  model_->set_group(group);

  std::vector<Tensor> all;
  for (const auto& [name, tensor] : named_tensors(*model_)) all.push_back(tensor);
  group.broadcast(all, 0);

  trained_ = trained_parameters(*model_);
  reducer_.emplace(trained_, group);
  OptimConfig optim = config.optim;
  optim.lr = recipe.lr;
  optim.backbone_lr = recipe.backbone_lr;
  optimizer_.emplace(parameter_groups(*model_, optim));
  for (const auto& parameters : optimizer_->groups()) base_lr_.push_back(parameters.hyper.lr);
  if (config.ema.enabled) ema_.emplace(named_tensors(*model_), recipe.ema_decay, recipe.ema_warmup_steps);
}

StepResult Learner::step(const Batch& batch, ImageSize size, int64_t step) {
  const StepKey key{
      .seed = static_cast<uint64_t>(config_.run.seed), .step = step, .first_sample = group_.rank() * batch.targets.num_images()};
  const Tensor images = to_model_input(batch.images, group_.device(), at::kFloat, size);
  const Targets targets = to_device(batch.targets, group_.device());

  const LossResult loss = forward_backward(*model_, criterion_, *reducer_, group_, images, targets, key);
  const Tensor grad_norm = clip_grad_norm(trained_, config_.optim.clip_norm);

  Tensor report = at::cat({loss.terms.detach().to(at::kDouble), (grad_norm.to(at::kDouble) * group_.size()).reshape({1})});
  group_.all_reduce_sum(report);
  report = report.div_(group_.size()).cpu();
  StepResult result{.loss = 0, .losses = {}, .grad_norm = report[-1].item<double>(), .lr = 0};
  for (size_t i = 0; i < loss.names.size(); ++i) {
    result.losses.emplace_back(loss.names[i], report[static_cast<int64_t>(i)].item<double>());
    result.loss += result.losses.back().second;
  }
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) {
    throw Error(cat("loss ", result.loss, " and gradient norm ", result.grad_norm, " are not finite"),
                "lower optim.lr, or look at the images named; checkpoints/last is intact");
  }

  const double factor = lr_factor(recipe_.lr_shape, step);
  for (size_t g = 0; g < base_lr_.size(); ++g) optimizer_->set_lr(g, base_lr_[g] * factor);
  optimizer_->step();
  if (ema_) ema_->update();
  // Undefined, not zero: AdamW passes over a parameter that took no part in a step, and the next backward pass need not add.
  for (Tensor& parameter : trained_) parameter.mutable_grad().reset();
  result.lr = recipe_.lr * factor;
  return result;
}

}  // namespace dfine
