#include "train/tools/find_lr.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "files/atomic_path.h"
#include "learner/build.h"
#include "learner/compute_setup.h"
#include "learner/learner.h"
#include "learner/train_feed.h"
#include "train/checks/config_warnings.h"
#include "train/run/run_folder.h"
#include "train/tools/lr_range.h"

namespace dfine::inline tools {
namespace {

constexpr double kLowest = 1e-6, kHighest = 0.1;
constexpr size_t kTableRows = 20;
constexpr int64_t kReportBytes = 1 << 20;  // table and picture

Recipe rising(Recipe recipe, int64_t steps) {
  const double backbone_share = recipe.backbone_lr / recipe.lr;
  recipe.total_steps = steps;
  recipe.lr = kLowest;
  recipe.backbone_lr = kLowest * backbone_share;
  recipe.lr_shape = {};
  recipe.lr_shape.growth = std::pow(kHighest / kLowest, 1 / static_cast<double>(steps - 1));
  return recipe;
}

/// Replaces the range's proposal where its curve is inconclusive, or lies where training itself
/// would call the rate wrong. Says why.
std::string settle(LrRange& range, const Recipe& recipe, const UsualRates& usual) {
  if (!range.decides()) {
    range.proposed = recipe.lr >= usual.least && recipe.lr <= usual.most ? recipe.lr : usual.usual;
    return str_cat(
        "the test is inconclusive: the loss ",
        range.fall() <= 4 * range.noise ? "falls" : "rises again",
        " by no more than its noise, so this is the recipe's rate. A larger --find-lr N, a "
        "larger batch or model.weights may tell more");
  }
  const double held = std::clamp(range.proposed, usual.least, usual.most);
  const bool beyond = held != range.proposed;
  const std::string why =
      str_cat("a tenth of the learning rate with the lowest loss",
              beyond ? str_cat(", ", short_rate(range.proposed),
                               ", held within what is usual for this batch, ",
                               short_rate(usual.least), " to ", short_rate(usual.most))
                     : "");
  range.proposed = held;
  return why;
}

void report(LrRange range, const Recipe& recipe, const Config& config, const EpochLayout& shape) {
  const std::string why = settle(range, recipe, usual_rates(config.model.size, shape.global_batch));
  const RunFolder folder(config.run.dir);
  std::filesystem::create_directories(config.run.dir);
  write_file_atomically(folder.lr_range("csv"), lr_range_csv(range));
  write_file_atomically(folder.lr_range("svg"), lr_range_svg(range));
  log::info(str_cat("learning-rate finder:\n", lr_range_table(range, kTableRows)));
  const double scaled = range.proposed * config.optim.lr / recipe.lr;  // undoes optim.scale_lr
  log::info(str_cat("proposal: optim.lr = ", short_rate(scaled),
                    scaled == range.proposed
                        ? ""
                        : str_cat(" (", short_rate(range.proposed), " after optim.scale_lr)"),
                    " at the global batch of ", shape.global_batch, "; ", why,
                    "; picture: ", folder.lr_range("svg").string()));
}

}  // namespace

void find_lr(const Config& given, MpiSession& session, int64_t steps) {
  Config config = given;
  config.ema.enabled = false;
  const Communicator group = join_ranks(config, session);
  const PackedDataset data = open_pack("data.train", config.data.train, config.data.cache_dir);
  const int64_t num_images = usable_images(config, data);
  const EpochLayout shape = run_shape(config, session.size(), num_images);
  const Recipe recipe = make_recipe(config, shape);
  if (group.rank() == 0) RunFolder(config.run.dir).require_usable(kReportBytes);
  Learner learner(build_model(config, data.categories(), true), config, rising(recipe, steps),
                  group);
  TrainFeed feed(data, config, shape, num_images, group);

  std::vector<LrTrial> trials;
  for (int64_t step = 0; step < steps; ++step) {
    set_failure_context(str_cat("learning-rate finder, step ", step + 1));
    const StepInput input = feed.next(step);
    const StepResult result = learner.step(input.batches, input.size, step);
    if (result.outcome == StepOutcome::kNotFinite) break;
    trials.push_back({.lr = result.lr, .loss = result.loss});
    if (static_cast<int64_t>(trials.size()) > steps / 4 && diverged(judge_lr_range(trials))) break;
  }
  if (group.rank() == 0) report(judge_lr_range(std::move(trials)), recipe, config, shape);
  group.barrier();
}

}  // namespace dfine::inline tools
