#include "train/plan/run_plan.h"

#include "core/text.h"

namespace dfine::inline plan {

std::string describe_dropped(const FeedOptions& feed) {
  const int64_t global_batch = feed.order.global_batch(),
                dropped = feed.order.num_images % global_batch;
  if (dropped == 0) return "";
  return str_cat(
      with_commas(dropped), " of ", counted(feed.order.num_images, "training image"),
      " are skipped in each epoch, ",
      feed.order.shuffle ? "other ones each time" : "always the last ones (data.shuffle = false)",
      ": they do not fill a global batch of ", global_batch);
}

std::string describe_recipe(const RunPlan& plan) {
  const Recipe& recipe = plan.recipe;
  std::string text = str_cat(counted(recipe.total_steps, "step"), ", ", plan.layout.steps_per_epoch,
                             " per epoch, of ", counted(plan.layout.global_batch, "image"), "; lr ",
                             recipe.lr, ", backbone ", recipe.backbone_lr);
  if (recipe.batch_ratio != 1)
    text += str_cat(" (batch ", recipe.batch_ratio, " of optim.base_batch)");
  text += str_cat(", warm-up ", counted(recipe.lr_schedule.warmup_steps, "step"));
  if (recipe.stage2_epoch > 0 && recipe.stage2_epoch < plan.loop.epochs)
    text += str_cat("; strong augmentation until epoch ", recipe.stage2_epoch, " of ",
                    plan.loop.epochs);
  if (plan.learner.ema) {
    text += str_cat("; EMA: decay ", recipe.ema_decay, ", warm-up ",
                    counted(recipe.ema_warmup_steps, "step"), ", ",
                    fixed(100 * ema_initial_weight(recipe.ema_decay, recipe.ema_warmup_steps,
                                                   recipe.total_steps),
                          1),
                    " % of the initial weights left at the end");
  }
  return text;
}

}  // namespace dfine::inline plan
