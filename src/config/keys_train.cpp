// The keys of [train].
#include <optional>
#include <string>
#include <vector>

#include "config/by_size.h"
#include "config/kinds.h"

namespace dfine::inline config {
namespace {

/// An epoch, or a share of the run, so that another train.epochs keeps it.
Kind<double> epoch_or_share() {
  return {.allowed = "whole number of at least 0 or number > 0 and < 1 (a share of train.epochs)",
          .read = [](const ConfigValue& value) -> std::optional<double> {
            const auto* epoch = std::get_if<int64_t>(&value);
            const auto* share = std::get_if<double>(&value);
            const bool taken = (epoch && *epoch >= 0) || (share && *share > 0 && *share < 1);
            return taken ? real_number(value) : std::nullopt;
          },
          .write = [](const double& held) -> ConfigValue {
            if (held > 0 && held < 1) return held;
            return static_cast<int64_t>(held);
          }};
}

/// The keys of what train.stage2_epoch switches off.
std::vector<std::string> stage1_only() {
  std::vector<std::string> keys =
      augmentation_keys([](const Augmentation& each) { return !each.stays; });
  keys.emplace_back("data.multiscale");
  return keys;
}

}  // namespace

void keys(Table<TrainConfig>& v) {
  using C = TrainConfig;
  v("epochs", &C::epochs, whole(1), "Passes over the training images.");
  v("max_steps", &C::max_steps, whole(0), "Stop after N optimizer steps. 0: no limit.");
  v("max_minutes", &C::max_minutes, number(kNotNegative),
    "Stop N minutes after the program's start with a checkpoint to continue from, and exit code "
    "75. "
    "0: no limit.");
  v("patience", &C::patience, whole(0),
    "Early stopping: stop after N validations in a row without a new best by checkpoint.monitor. "
    "0: off.");
  v("gradient_accumulation_steps", &C::gradient_accumulation_steps, whole(1, 4096),
    "Micro-batches per rank whose gradients make one optimizer step, in the memory of one; see "
    "train.gradient_accumulation. Batch norms see one micro-batch at a time.");
  v("gradient_accumulation", &C::gradient_accumulation,
    choice<GradientAccumulation>(
        {{"exact", GradientAccumulation::kExact}, {"averaged", GradientAccumulation::kAveraged}}),
    "How train.gradient_accumulation_steps micro-batches make one step. exact: the step of one "
    "large batch, normalised by the boxes and matched queries of all of them; all but one go "
    "forward twice. averaged: the mean of the losses of the micro-batches, as usual elsewhere; "
    "each goes forward once.");
  v("gradient_compression", &C::gradient_compression,
    choice<GradientCompression>(
        {{"none", GradientCompression::kNone}, {"bf16", GradientCompression::kBf16}}),
    "Number format in which gradients travel between ranks. none: their own, fp32. bf16: half the "
    "bytes, rounded to 8 bits of mantissa, for slow networks. One rank alone sends nothing.");
  v("max_bad_steps", &C::max_bad_steps, whole(1),
    "A step whose loss or gradient is not finite is skipped on all ranks, and its images are "
    "named. N such steps in a row end the run.");
  v("stage2_epoch", &C::stage2_epoch, or_auto(epoch_or_share()),
    str_cat("From this epoch on (the first is 0) ", listed(stage1_only()),
            " are off. 0: never. Below 1: after this share of train.epochs, rounded to the nearest "
            "whole epoch; at least the last epoch is without them. auto: the official share: ",
            by_size(&ModelVariant::stage2_share), "."));
  v("stage2_from_best", &C::stage2_from_best, flag(),
    "Go back to the best weights so far at train.stage2_epoch, and again after each later epoch "
    "without a new best (official: on).");
  v("preflight", &C::preflight, flag(),
    "Before training, try one optimizer step and one validation batch on a throw-away model, so "
    "that running out of memory shows at once. The step has the largest size and as many boxes "
    "as a batch of this run can have.");
}

}  // namespace dfine::inline config
