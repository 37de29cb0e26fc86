// Combinations of keys that cannot work.
#include <algorithm>
#include <utility>

#include "config/keys.h"
#include "core/text.h"

namespace dfine::inline config {

std::vector<ConfigConflict> config_conflicts(const Config& config) {
  std::vector<ConfigConflict> found;
  const auto add = [&](const char* key, std::string message) {
    found.push_back({key, std::move(message)});
  };
  if (config.run.dir.empty())
    found.push_back(
        {"run.dir", "run.dir is empty: name a folder for the run", ErrorCode::kBadValue});
  if (config.run.resume.empty())
    found.push_back({"run.resume",
                     "run.resume is empty: use none, auto or the path of a checkpoint folder",
                     ErrorCode::kBadValue});
  if (config.data.train.empty())
    found.push_back({"data.train", "data.train is not set: name a folder that dfine-pack wrote",
                     ErrorCode::kMissingKey});
  if (config.data.val.empty() && config.validate.every_epochs > 0)
    found.push_back({"data.val",
                     "data.val is not set: name a folder that dfine-pack wrote, or set "
                     "validate.every_epochs = 0",
                     ErrorCode::kMissingKey});
  if (config.model.freeze_backbone && config.optim.backbone_lr)
    add("optim.backbone_lr",
        "optim.backbone_lr is set, but model.freeze_backbone = true leaves nothing to train there: "
        "take one away");
  if (config.model.freeze_backbone && config.model.freeze_norm == false)
    add("model.freeze_norm",
        "model.freeze_norm = false, but model.freeze_backbone = true freezes the norms too: take "
        "one away");
  const int64_t denoising = config.model.num_denoising,
                most_denoising = config.model.max_denoising_queries;
  if (most_denoising > 0 && most_denoising < 2 * denoising)
    add("model.max_denoising_queries",
        str_cat("model.max_denoising_queries = ", most_denoising, " is less than the ",
                2 * denoising, " queries that model.num_denoising = ", denoising,
                " makes for any image: raise it to at least ", 2 * denoising,
                ", or lower model.num_denoising"));
  const OptimConfig& optim = config.optim;
  const double epochs = static_cast<double>(config.train.epochs),
               stop = static_cast<double>(stage2_epoch(config));
  const bool stops = config.train.stage2_epoch != 0.0;
  const double flat_epochs = optim.flat_epochs.value_or(epochs / 2);
  if (!optim.base_batch && optim.scale_lr != LrScaling::kNone)
    add("optim.scale_lr",
        "optim.scale_lr needs optim.base_batch, the global batch that optim.lr is stated for");
  if (!optim.base_batch && optim.scale_schedule)
    add("optim.scale_schedule",
        "optim.scale_schedule needs optim.base_batch, the global batch that the schedule is stated "
        "for");
  if (optim.warmup_epochs && optim.warmup_steps)
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
  if (config.data.multiscale &&
      std::max(config.data.image_size.height, config.data.image_size.width) < 64)
    add("data.multiscale",
        "data.multiscale needs a data.image_size of at least 64: 0.75 times less leaves no side "
        "divisible by 32");
  if (config.data.max_images > 0 && config.data.max_images < config.data.batch_size)
    add("data.max_images",
        str_cat("data.max_images = ", config.data.max_images,
                " does not fill one batch of data.batch_size = ", config.data.batch_size));
  return found;
}

}  // namespace dfine::inline config
