#include "learner/recipe.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "optim/ema.h"

namespace dfine::inline learner {
namespace {

/// `count` / ratio, at least 1 unless it is 0.
int64_t divided(int64_t count, double ratio) {
  return count == 0 ? 0 : std::max<int64_t>(1, std::llround(static_cast<double>(count) / ratio));
}

double lr_scale(LrScaling scaling, double batch_ratio) {
  switch (scaling) {
    case LrScaling::kLinear:
      return batch_ratio;
    case LrScaling::kSqrt:
      return std::sqrt(batch_ratio);
    case LrScaling::kNone:
      break;
  }
  return 1;
}

int64_t warmup_steps(const Config& config, const Recipe& recipe, double schedule_ratio,
                     int64_t steps_per_epoch) {
  const OptimConfig& optim = config.optim;
  if (optim.warmup_epochs > 0)
    return std::llround(optim.warmup_epochs * static_cast<double>(steps_per_epoch));
  return optim.warmup_steps ? divided(*optim.warmup_steps, schedule_ratio)
                            : auto_warmup_steps(recipe.total_steps);
}

}  // namespace

int64_t auto_warmup_steps(int64_t total_steps) {
  return std::min<int64_t>(500, total_steps / 20);
}

double auto_ema_decay(int64_t total_steps) {
  return std::clamp(1 - 20 / static_cast<double>(std::max<int64_t>(total_steps, 1)), 0.0, 0.9999);
}

int64_t auto_ema_warmup(int64_t total_steps) {
  return std::min<int64_t>(1000, total_steps / 50);
}

double ema_initial_weight(double decay, int64_t warmup_steps, int64_t updates) {
  double share = 1;
  for (int64_t update = 1; update <= updates && share > 0; ++update)
    share *= ema_decay(decay, update, warmup_steps);
  return share;
}

Recipe make_recipe(const Config& config, const EpochLayout& shape) {
  const OptimConfig& optim = config.optim;
  const auto steps = [&](double epochs) -> int64_t {
    return std::llround(epochs * static_cast<double>(shape.steps_per_epoch));
  };
  Recipe recipe;
  recipe.stage2_epoch = stage2_epoch(config);
  recipe.total_steps = shape.steps_per_epoch * config.train.epochs;
  const int64_t planned_steps = recipe.total_steps;
  if (config.train.max_steps > 0)
    recipe.total_steps = std::min(recipe.total_steps, config.train.max_steps);
  if (optim.base_batch > 0)
    recipe.batch_ratio =
        static_cast<double>(shape.global_batch) / static_cast<double>(optim.base_batch);

  const double scale = lr_scale(optim.scale_lr, recipe.batch_ratio);
  recipe.lr = optim.lr * scale;
  recipe.backbone_lr = optim.backbone_lr > 0 ? optim.backbone_lr * scale : recipe.lr;

  const double schedule_ratio = optim.scale_schedule ? recipe.batch_ratio : 1;
  recipe.lr_shape.warmup_steps =
      warmup_steps(config, recipe, schedule_ratio, shape.steps_per_epoch);
  if (optim.schedule == LrSchedule::kMultistep) {
    for (const double epoch : optim.milestones) recipe.lr_shape.milestones.push_back(steps(epoch));
    recipe.lr_shape.gamma = optim.gamma;
  } else if (optim.schedule == LrSchedule::kFlatCosine) {
    recipe.lr_shape.cosine_begin =
        optim.flat_epochs > 0 ? steps(optim.flat_epochs) : planned_steps / 2;
    recipe.lr_shape.cosine_end =
        recipe.stage2_epoch > 0
            ? std::min(steps(static_cast<double>(recipe.stage2_epoch)), planned_steps)
            : planned_steps;
    recipe.lr_shape.final_factor = optim.final_lr_factor;
  }

  recipe.ema_decay = config.ema.decay ? std::max(0.0, 1 - schedule_ratio * (1 - *config.ema.decay))
                                      : auto_ema_decay(recipe.total_steps);
  recipe.ema_warmup_steps = config.ema.warmup_steps
                                ? divided(*config.ema.warmup_steps, schedule_ratio)
                                : auto_ema_warmup(recipe.total_steps);
  return recipe;
}

std::string describe_dropped(const Config& config, const EpochLayout& shape, int64_t num_images) {
  const int64_t dropped = num_images - shape.steps_per_epoch * shape.global_batch;
  if (dropped == 0) return "";
  return str_cat(
      with_commas(dropped), " of ", counted(num_images, "training image"),
      " are skipped in each epoch, ",
      config.data.shuffle ? "other ones each time" : "always the last ones (data.shuffle = false)",
      ": they do not fill a global batch of ", shape.global_batch);
}

std::string describe_recipe(const Recipe& recipe, const Config& config, const EpochLayout& shape) {
  std::string text = str_cat(counted(recipe.total_steps, "step"), ", ", shape.steps_per_epoch,
                             " an epoch, of ", counted(shape.global_batch, "image"), "; lr ",
                             recipe.lr, ", backbone ", recipe.backbone_lr);
  if (recipe.batch_ratio != 1)
    text += str_cat(" (batch ", recipe.batch_ratio, " of optim.base_batch)");
  text += str_cat(", warm-up ", counted(recipe.lr_shape.warmup_steps, "step"));
  if (recipe.stage2_epoch > 0 && recipe.stage2_epoch < config.train.epochs)
    text += str_cat("; strong augmentation until epoch ", recipe.stage2_epoch, " of ",
                    config.train.epochs);
  if (config.ema.enabled) {
    text += str_cat("; average: decay ", recipe.ema_decay, ", warm-up ",
                    counted(recipe.ema_warmup_steps, "step"), ", ",
                    fixed(100 * ema_initial_weight(recipe.ema_decay, recipe.ema_warmup_steps,
                                                   recipe.total_steps),
                          1),
                    " % of the initial weights left at the end");
  }
  return text;
}

}  // namespace dfine::inline learner
