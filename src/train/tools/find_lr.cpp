#include "train/tools/find_lr.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/progress_line.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "files/atomic_path.h"
#include "learner/build_model.h"
#include "learner/learner.h"
#include "learner/train_feed.h"
#include "train/checks/config_warnings.h"
#include "train/tools/lr_range.h"

namespace dfine::inline tools {
namespace {

constexpr double kLowest = 1e-6, kHighest = 0.1;
constexpr size_t kTableRows = 20;
constexpr int64_t kReportBytes = 1 << 20;  // table and picture

LearnerOptions rising(LearnerOptions options, int64_t steps) {
  const double backbone_share = options.optimizer.backbone_lr / options.optimizer.lr;
  options.optimizer.lr = kLowest;
  options.optimizer.backbone_lr = kLowest * backbone_share;
  options.schedule = {};
  options.schedule.growth = std::pow(kHighest / kLowest, 1 / static_cast<double>(steps - 1));
  options.ema.reset();
  return options;
}

/// Replaces the range's suggestion where its curve is inconclusive, or lies where training itself
/// would call the learning rate wrong. Says why.
std::string settle(LrRange& range, const Recipe& recipe, const UsualLrs& usual) {
  if (!range.decides()) {
    range.suggested = recipe.lr >= usual.least && recipe.lr <= usual.most ? recipe.lr : usual.usual;
    return str_cat("the test is inconclusive: the loss ",
                   range.fall() <= 4 * range.noise ? "falls" : "rises again",
                   " by no more than its noise, so this is the recipe's learning rate. A larger "
                   "--find-lr N, a larger batch or model.weights may tell more");
  }
  const double held = std::clamp(range.suggested, usual.least, usual.most);
  const bool beyond = held != range.suggested;
  const std::string why =
      str_cat("a tenth of the learning rate with the lowest loss",
              beyond ? str_cat(", ", short_lr(range.suggested),
                               ", held within what is usual for this batch, ",
                               short_lr(usual.least), " to ", short_lr(usual.most))
                     : "");
  range.suggested = held;
  return why;
}

void report(LrRange range, const RunPlan& plan, const RunFolder& folder) {
  const Recipe& recipe = plan.recipe;
  const std::string why =
      settle(range, recipe, usual_lrs(plan.model_size, plan.layout.global_batch));
  std::filesystem::create_directories(plan.run_dir);
  write_file_atomically(folder.lr_range("csv"), lr_range_csv(range));
  write_file_atomically(folder.lr_range("svg"), lr_range_svg(range));
  log::info(str_cat("learning-rate finder:\n", lr_range_table(range, kTableRows)));
  const double scaled = range.suggested / recipe.lr_scale;  // undoes optim.scale_lr
  log::info(str_cat("suggestion: optim.lr = ", short_lr(scaled),
                    scaled == range.suggested
                        ? ""
                        : str_cat(" (", short_lr(range.suggested), " after optim.scale_lr)"),
                    " at the global batch of ", plan.layout.global_batch, "; ", why,
                    "; picture: ", folder.lr_range("svg").string()));
}

}  // namespace

void find_lr(const RunContext& context, int64_t steps) {
  const RunPlan& plan = context.plan;
  const Communicator& group = context.group;
  if (group.rank() == 0) context.folder.require_usable(kReportBytes);
  Learner learner(build_model(plan.model, true), rising(plan.learner, steps), group);
  TrainFeed feed(context.train_data, plan.feed, {.steps = steps}, group);

  std::vector<LrTrial> trials;
  ProgressLine progress("tried");
  for (int64_t step = 0; step < steps; ++step) {
    set_failure_context(str_cat("learning-rate finder, step ", step + 1));
    const StepInput input = feed.next();
    const StepResult result = learner.step(input.batches, input.size, step);
    if (result.outcome == StepOutcome::kNotFinite) break;
    trials.push_back({.lr = result.lr, .loss = result.loss});
    progress.count(step + 1, steps, "step");
    if (static_cast<int64_t>(trials.size()) > steps / 4 && diverged(judge_lr_range(trials))) break;
  }
  if (group.rank() == 0) report(judge_lr_range(std::move(trials)), plan, context.folder);
  group.barrier();
}

}  // namespace dfine::inline tools
