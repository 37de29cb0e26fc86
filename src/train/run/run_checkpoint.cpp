#include "train/run/run_checkpoint.h"

#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "train/checkpoint/checkpoint.h"
#include "train/plan/saved_run.h"
#include "variants/variants.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

/// A checkpoint that this run can go on from.
Checkpoint load_fitting(const fs::path& folder, const RunPlan& plan) {
  Checkpoint checkpoint = load_checkpoint(folder.string());
  const RunState& run = checkpoint.run;
  require_continuable({.config = run.config,
                       .world_size = run.world_size,
                       .step = run.step,
                       .epoch = run.epoch,
                       .epoch_step = run.epoch_step},
                      plan);
  return checkpoint;
}

/// On rank zero.
std::optional<int64_t> read_best(const fs::path& folder, Learner& learner) {
  try {
    Checkpoint best = load_checkpoint(folder.string());
    best.learner.scaler.reset();  // the scale is of now
    if (best.learner.ema && learner.ema() != nullptr)
      best.learner.ema->restarted_decay = learner.ema()->restarted_decay();
    learner.load(best.learner);
    return best.run.step;
  } catch (const Error& e) {
    log::warn(
        str_cat("stage 2 starts from the weights as they are, since the best ones cannot be "
                "used: ",
                e.what()));
    return std::nullopt;
  }
}

}  // namespace

void save_run(const fs::path& folder, Learner& learner, const RunPlan& plan,
              const std::vector<Category>& categories, RunState state) {
  ModelDescription description;
  description.spec = learner.model().spec();
  for (const auto& category : categories) {
    description.class_names.push_back(category.name);
    description.category_ids.push_back(category.id);
  }
  const ImageSize size = plan.feed.loader.sample.size;
  description.image_height = size.height;
  description.image_width = size.width;
  state.epoch = state.step / plan.layout.steps_per_epoch;
  state.epoch_step = state.step % plan.layout.steps_per_epoch;
  state.world_size = plan.layout.world_size;
  state.config = plan.config;
  save_checkpoint(folder.string(),
                  {std::move(description), to_device(learner.state(), at::kCPU), std::move(state)});
}

int64_t checkpoint_bytes(const std::string& model_size) {
  return static_cast<int64_t>(20e6 * model_variant(model_size).million_parameters);
}

void check_resume(const fs::path& folder, const RunPlan& plan) {
  const ErrorContext at("while continuing from ", folder.string());
  load_fitting(folder, plan);
}

RunState restore_run(const fs::path& folder, Learner& learner, const RunPlan& plan,
                     const Communicator& group) {
  RunState state;
  if (group.rank() == 0) {
    const ErrorContext at("while continuing from ", folder.string());
    Checkpoint checkpoint = load_fitting(folder, plan);
    const std::string changed = changed_settings(checkpoint.run.config, plan.config);
    if (!changed.empty())
      log::info("continuing with other settings than the checkpoint's:" + changed);
    learner.load(checkpoint.learner);
    state = std::move(checkpoint.run);
  }
  learner.share();
  RunState::entries(state, [&](const char*, auto& field) { field = group.broadcast(field, 0); });
  return state;
}

std::optional<int64_t> reload_best(const fs::path& folder, Learner& learner,
                                   const Communicator& group) {
  const auto step =
      group.broadcast(group.rank() == 0 ? read_best(folder, learner) : std::nullopt, 0);
  if (step) learner.share();
  return step;
}

}  // namespace dfine::inline run
