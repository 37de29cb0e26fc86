#include "train/plan/recipe.h"

#include <algorithm>
#include <cmath>

#include "optim/ema.h"
#include "train/plan/resolve.h"

namespace dfine::inline plan {
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
  if (optim.warmup_epochs)
    return std::llround(*optim.warmup_epochs * static_cast<double>(steps_per_epoch));
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

Recipe make_recipe(const Config& config, const EpochLayout& layout) {
  const OptimConfig& optim = config.optim;
  const auto steps = [&](double epochs) -> int64_t {
    return std::llround(epochs * static_cast<double>(layout.steps_per_epoch));
  };
  Recipe recipe;
  recipe.stage2_epoch = stage2_epoch(config);
  recipe.total_steps = layout.steps_per_epoch * config.train.epochs;
  const int64_t planned_steps = recipe.total_steps;
  if (config.train.max_steps > 0)
    recipe.total_steps = std::min(recipe.total_steps, config.train.max_steps);
  if (optim.base_batch)
    recipe.batch_ratio =
        static_cast<double>(layout.global_batch) / static_cast<double>(*optim.base_batch);

  recipe.lr_scale = lr_scale(optim.scale_lr, recipe.batch_ratio);
  recipe.lr = optim.lr * recipe.lr_scale;
  recipe.backbone_lr = optim.backbone_lr.value_or(optim.lr) * recipe.lr_scale;

  const double schedule_ratio = optim.scale_schedule ? recipe.batch_ratio : 1;
  recipe.lr_schedule.warmup_steps =
      warmup_steps(config, recipe, schedule_ratio, layout.steps_per_epoch);
  if (optim.schedule == LrSchedule::kMultistep) {
    for (const double epoch : optim.milestones)
      recipe.lr_schedule.milestones.push_back(steps(epoch));
    recipe.lr_schedule.gamma = optim.gamma;
  } else if (optim.schedule == LrSchedule::kFlatCosine) {
    recipe.lr_schedule.cosine_begin =
        optim.flat_epochs ? steps(*optim.flat_epochs) : planned_steps / 2;
    recipe.lr_schedule.cosine_end =
        recipe.stage2_epoch > 0
            ? std::min(steps(static_cast<double>(recipe.stage2_epoch)), planned_steps)
            : planned_steps;
    recipe.lr_schedule.final_factor = optim.final_lr_factor;
  }

  recipe.ema_decay = config.ema.decay ? std::max(0.0, 1 - schedule_ratio * (1 - *config.ema.decay))
                                      : auto_ema_decay(recipe.total_steps);
  recipe.ema_warmup_steps = config.ema.warmup_steps
                                ? divided(*config.ema.warmup_steps, schedule_ratio)
                                : auto_ema_warmup(recipe.total_steps);
  return recipe;
}

}  // namespace dfine::inline plan
