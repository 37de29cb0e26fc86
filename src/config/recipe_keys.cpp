#include "config/recipe_keys.h"

#include <algorithm>

#include "config/key_builders.h"
#include "core/text.h"

namespace dfine::inline config {
namespace {

ConfigKey milestones() {
  const std::string allowed = "list of numbers > 0, each larger than the one before";
  return {"optim.milestones",
          allowed,
          "Epochs at which schedule = \"multistep\" multiplies the learning rates by optim.gamma.",
          false,
          [=](Config& config, const ConfigValue& value) {
            const std::vector<double> epochs = number_list(value);
            const auto* numbers = std::get_if<std::vector<double>>(&value);
            const bool empty = numbers && numbers->empty();
            const bool rising = std::adjacent_find(epochs.begin(), epochs.end(),
                                                   std::greater_equal<>()) == epochs.end();
            if ((epochs.empty() && !empty) || !rising ||
                !std::all_of(epochs.begin(), epochs.end(), kPositive.contains))
              refuse(value, allowed);
            config.optim.milestones = epochs;
          },
          [](const Config& config) -> ConfigValue { return config.optim.milestones; }};
}

std::vector<ConfigKey> optim_keys() {
  using O = OptimConfig;
  const auto part = &Config::optim;
  return {
      number("optim.lr", part, &O::lr, kPositive,
             "Learning rate of AdamW, for a global batch (data.batch_size x ranks x "
             "train.gradient_accumulation_steps) of optim.base_batch."),
      number("optim.backbone_lr", part, &O::backbone_lr, kNotNegative,
             "Learning rate of the "
             "backbone. 0: the same as "
             "optim.lr."),
      integer("optim.base_batch", part, &O::base_batch, 0, kNoLimit,
              "Global batch that optim.lr and optim.backbone_lr refer to. 0: the global batch of "
              "the run, that is no scaling (official: n 128, others 32)."),
      choice<O, LrScaling>(
          "optim.scale_lr", part, &O::scale_lr,
          {{"none", LrScaling::kNone}, {"linear", LrScaling::kLinear}, {"sqrt", LrScaling::kSqrt}},
          "How the learning rates follow the global batch B: times B / optim.base_batch, times its "
          "square root, or not at all. The official README doubles them for a doubled batch. For "
          "AdamW the square root keeps training the same."),
      flag(
          "optim.scale_schedule", part, &O::scale_schedule,
          "Also scale the EMA and the warm-ups with the global batch, as the official README says. "
          "For a batch k times as large, 1 - ema.decay is multiplied by k; ema.warmup_steps and "
          "optim.warmup_steps are divided by k. Values that are auto are not affected."),
      choice<O, LrSchedule>(
          "optim.schedule", part, &O::schedule,
          {{"constant", LrSchedule::kConstant},
           {"multistep", LrSchedule::kMultistep},
           {"flat_cosine", LrSchedule::kFlatCosine}},
          "Learning rates after the warm-up. constant: no change (official: its milestone is "
          "beyond "
          "the last epoch). multistep: see optim.milestones. flat_cosine: constant for "
          "optim.flat_epochs, then a cosine down to optim.final_lr_factor at train.stage2_epoch, "
          "or at "
          "the end if that is 0 (as DEIM)."),
      milestones(),
      number("optim.gamma", part, &O::gamma, kPositive,
             "Factor of the learning rates at each of "
             "optim.milestones."),
      number("optim.flat_epochs", part, &O::flat_epochs, kNotNegative,
             "Epochs before the cosine of schedule = \"flat_cosine\" begins. 0: half of "
             "train.epochs."),
      number("optim.final_lr_factor", part, &O::final_lr_factor, kNotNegative,
             "Final learning rate of that cosine, as a fraction of the initial one (DEIM: 0.5)."),
      integer_or_auto(
          "optim.warmup_steps", part, &O::warmup_steps, 0,
          "Steps in which the learning rates rise linearly from lr / warmup_steps. 0: no warm-up. "
          "auto: a twentieth of the run, at most 500 (official: 500)."),
      number("optim.warmup_epochs", part, &O::warmup_epochs, kNotNegative,
             "The same in epochs. 0: "
             "optim.warmup_steps "
             "counts."),
      number("optim.weight_decay", part, &O::weight_decay, kNotNegative,
             "Decoupled weight decay of all parameters except those of optim.no_decay."),
      pattern_list(
          "optim.no_decay", part, &O::no_decay,
          "Regular expressions (ECMAScript). Parameters in whose \"ROLE NAME\" one of them is "
          "found "
          "have no weight decay. NAME is the published name. ROLE is PART.norm.weight, "
          "PART.norm.bias, PART.weight or PART.bias, where PART is backbone, encoder or decoder. "
          "Official: n s m '^(en|de)coder\\.(norm|bias)', l x '^(en|de)coder\\.norm'; the "
          "backbone's norms are decayed."),
      number("optim.beta1", part, &O::beta1, kBelowOne, "AdamW's decay rate of the first moment."),
      number("optim.beta2", part, &O::beta2, kBelowOne, "AdamW's decay rate of the second moment."),
      number("optim.eps", part, &O::eps, kPositive, "AdamW's term against division by zero."),
      number("optim.clip_norm", part, &O::clip_norm, kNotNegative,
             "Gradients are scaled down to at most this global norm. 0: no clipping (official: "
             "0.1)."),
  };
}

/// An epoch, or a share of the run, so that another train.epochs keeps it.
ConfigKey stage2_epoch_key() {
  const std::string allowed =
      "whole number of at least 0, number > 0 and < 1 (a share of train.epochs) or \"auto\"";
  return {"train.stage2_epoch",
          allowed,
          "From this epoch on (the first is 0) photometric distortion, zoom-out, crop, mosaic, "
          "mixup and multi-scale are off. 0: never. Below 1: after this share of train.epochs, "
          "rounded to the nearest whole epoch; at least the last epoch is without them. auto: the "
          "official share, n 148 of 160 epochs, s and m 120 of 132, l and x 72 of 80.",
          true,
          [=](Config& config, const ConfigValue& value) {
            const auto* epoch = std::get_if<int64_t>(&value);
            const auto* share = std::get_if<double>(&value);
            const bool taken = (epoch && *epoch >= 0) || (share && *share > 0 && *share < 1);
            if (!taken && value != ConfigValue("auto")) refuse(value, allowed);
            config.train.stage2_epoch = taken ? real_number(value) : std::nullopt;
          },
          [](const Config& config) -> ConfigValue {
            const auto& held = config.train.stage2_epoch;
            if (!held) return "auto";
            if (*held > 0 && *held < 1) return *held;
            return static_cast<int64_t>(*held);
          }};
}

std::vector<ConfigKey> train_keys() {
  using T = TrainConfig;
  const auto part = &Config::train;
  return {
      integer("train.epochs", part, &T::epochs, 1, kNoLimit, "Passes over the training images."),
      integer("train.max_steps", part, &T::max_steps, 0, kNoLimit,
              "Stop after N optimizer steps. "
              "0: no limit."),
      number(
          "train.max_minutes", part, &T::max_minutes, kNotNegative,
          "Stop N minutes after this start, with a validation and a checkpoint to continue from. "
          "0: no limit."),
      integer("train.patience", part, &T::patience, 0, kNoLimit,
              "Early stopping: stop after N validations in a row without a new best by "
              "checkpoint.monitor. 0: off."),
      integer(
          "train.gradient_accumulation_steps", part, &T::gradient_accumulation_steps, 1, 4096,
          "Micro-batches per rank whose gradients make one optimizer step, in the memory of one; "
          "see train.gradient_accumulation. Batch norms see one micro-batch at a time."),
      choice<T, GradientAccumulation>(
          "train.gradient_accumulation", part, &T::gradient_accumulation,
          {{"exact", GradientAccumulation::kExact}, {"averaged", GradientAccumulation::kAveraged}},
          "How train.gradient_accumulation_steps micro-batches make one step. exact: the step of "
          "one large batch, "
          "normalised by the boxes and matched queries of all of them; all but one go forward "
          "twice. averaged: the mean of the losses of the micro-batches, as usual elsewhere; each "
          "goes forward once."),
      integer(
          "train.max_bad_steps", part, &T::max_bad_steps, 1, kNoLimit,
          "A step whose loss or gradient is not finite is skipped on all ranks, and its images are "
          "named. N such steps in a row end the run."),
      stage2_epoch_key(),
      flag("train.stage2_from_best", part, &T::stage2_from_best,
           "Go back to the best weights so far at train.stage2_epoch, and again after each later "
           "epoch "
           "without a new best (official: on)."),
      flag(
          "train.preflight", part, &T::preflight,
          "Before training, try one optimizer step and one validation batch on a throw-away model, "
          "so that running out of memory shows at once. The step has the largest size and as many "
          "boxes as a batch of this run can have."),
  };
}

std::vector<ConfigKey> ema_keys() {
  using E = EmaConfig;
  const auto part = &Config::ema;
  return {
      flag("ema.enabled", part, &E::enabled,
           "Keep an exponential moving average (EMA) of the "
           "weights and of the batch norms' statistics."),
      number_or_auto(
          "ema.decay", part, &E::decay, kBelowOne,
          "EMA decay per optimizer step (official: 0.9999, for 100,000 steps and more). auto: 1 - "
          "20 / steps, so that the time constant is a twentieth of the run, at most 10,000 steps."),
      integer_or_auto(
          "ema.warmup_steps", part, &E::warmup_steps, 0,
          "The decay rises as decay * (1 - exp(-step / warmup_steps)). 0: constant. auto: a "
          "fiftieth of the run, at most 1000 (official: 1000)."),
      choice<E, EmaRestart>(
          "ema.restart", part, &E::restart,
          {{"none", EmaRestart::kNone},
           {"published", EmaRestart::kPublished},
           {"intended", EmaRestart::kIntended}},
          "What happens at train.stage2_epoch. none: nothing. intended: the decay "
          "becomes ema.restart_decay, and 0.0001 less after each later epoch "
          "without a new best. published: as in the official code, whose restart "
          "has no effect."),
      number("ema.restart_decay", part, &E::restart_decay, kBelowOne,
             "EMA decay after the restart (official: 0.9999, x 0.9998)."),
  };
}

std::vector<ConfigKey> outcome_keys() {
  return {
      integer("validate.every_epochs", &Config::validate, &ValidateConfig::every_epochs, 0,
              kNoLimit,
              "Epochs between validations. There is also one after the last epoch. 0: no "
              "validation."),
      integer("validate.batch_size", &Config::validate, &ValidateConfig::batch_size, 0, 4096,
              "Validation images per rank and batch; only changes the speed. 0: data.batch_size."),
      choice<ValidateConfig, ValidatedWeights>(
          "validate.weights", &Config::validate, &ValidateConfig::weights,
          {{"both", ValidatedWeights::kBoth},
           {"ema", ValidatedWeights::kEma},
           {"raw", ValidatedWeights::kRaw}},
          "Which weights are validated. both: EMA and raw weights; the better ones by "
          "checkpoint.monitor are reported and saved as model.safetensors (official: ema). Without "
          "ema.enabled: raw."),
      choice<CheckpointConfig, Monitor>(
          "checkpoint.monitor", &Config::checkpoint, &CheckpointConfig::monitor,
          {{"val_loss", Monitor::kValLoss}, {"ap", Monitor::kAp}},
          "What decides which checkpoint is `best`: lowest validation "
          "loss, or highest COCO AP."),
      integer("checkpoint.every_steps", &Config::checkpoint, &CheckpointConfig::every_steps, 0,
              kNoLimit,
              "Write checkpoints/last also every N optimizer steps. 0: only at the end of each "
              "epoch."),
  };
}

}  // namespace

std::vector<ConfigKey> recipe_keys() {
  std::vector<ConfigKey> all;
  for (const auto& part : {optim_keys(), train_keys(), ema_keys(), outcome_keys()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<ConfigConflict> recipe_conflicts(const Config& config) {
  std::vector<ConfigConflict> found;
  const auto add = [&](const char* key, std::string message) {
    found.push_back({key, std::move(message)});
  };
  const OptimConfig& optim = config.optim;
  const double epochs = static_cast<double>(config.train.epochs),
               stop = static_cast<double>(stage2_epoch(config));
  const bool stops = config.train.stage2_epoch != 0.0;
  const double flat_epochs = optim.flat_epochs > 0 ? optim.flat_epochs : epochs / 2;
  if (optim.base_batch == 0 && optim.scale_lr != LrScaling::kNone)
    add("optim.scale_lr",
        "optim.scale_lr needs optim.base_batch, the global batch that optim.lr is stated for");
  if (optim.base_batch == 0 && optim.scale_schedule)
    add("optim.scale_schedule",
        "optim.scale_schedule needs optim.base_batch, the global batch that the schedule is stated "
        "for");
  if (optim.warmup_epochs > 0 && optim.warmup_steps)
    add("optim.warmup_epochs",
        "optim.warmup_epochs and optim.warmup_steps are both set: take one away, or set "
        "optim.warmup_steps = \"auto\"");
  if ((optim.schedule == LrSchedule::kMultistep) == optim.milestones.empty())
    add("optim.milestones",
        optim.milestones.empty()
            ? "optim.schedule = \"multistep\" needs optim.milestones, the epochs of its steps"
            : "optim.milestones are set, but optim.schedule is not \"multistep\": take one away");
  if (optim.schedule == LrSchedule::kFlatCosine &&
      flat_epochs > (stop > 0 ? std::min(stop, epochs) : epochs))
    add("optim.flat_epochs",
        "the flat part of optim.schedule = \"flat_cosine\" reaches beyond train.stage2_epoch or "
        "train.epochs: set fewer");
  if (config.train.stage2_from_best && !stops)
    add("train.stage2_from_best",
        "train.stage2_from_best needs train.stage2_epoch, the epoch at which it begins");
  if (config.train.stage2_from_best && config.validate.every_epochs == 0)
    add("train.stage2_from_best",
        "train.stage2_from_best goes back to the best weights, but validate.every_epochs = 0 finds "
        "none");
  if (config.train.patience > 0 && config.validate.every_epochs == 0)
    add("train.patience",
        "train.patience counts validations, but validate.every_epochs = 0 makes none");
  if (config.ema.restart == EmaRestart::kIntended && !stops)
    add("ema.restart",
        "ema.restart = \"intended\" needs train.stage2_epoch, the epoch at which it happens");
  if (config.ema.restart == EmaRestart::kIntended && !config.ema.enabled)
    add("ema.restart", "ema.restart = \"intended\", but ema.enabled = false: take one away");
  if (config.validate.weights == ValidatedWeights::kEma && !config.ema.enabled)
    add("validate.weights", "validate.weights = \"ema\", but ema.enabled = false: take one away");
  return found;
}

}  // namespace dfine::inline config
