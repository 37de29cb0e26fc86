#include "train/run/run_checkpoint.h"

#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "train/plan/saved_run.h"
#include "variants/variants.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

/// On rank zero.
bool read_best(const fs::path& folder, Learner& learner) {
  try {
    Checkpoint best = load_checkpoint(folder);
    best.learner.scaler.reset();  // the scale is of now
    if (best.learner.ema && learner.ema() != nullptr)
      best.learner.ema->restarted_decay = learner.ema()->restarted_decay();
    learner.load(best.learner);
    return true;
  } catch (const Error& e) {
    log::warn(
        str_cat("stage 2 starts from the weights as they are, since the best ones cannot be "
                "used: ",
                e.what()));
    return false;
  }
}

void say_what_changed(const RunState& saved, const RunPlan& plan) {
  const std::string changed = changed_settings(saved.config, plan.config);
  if (!changed.empty())
    log::info("continuing with other settings than the checkpoint's:" + changed);
  if (saved.global_batch != plan.layout.global_batch)
    log::info(str_cat("continuing with a global batch of ", plan.layout.global_batch, ", was ",
                      saved.global_batch, ": the epoch goes on after its ",
                      counted(saved.epoch_samples, "sample"),
                      ", and learning rates follow the new batch"));
}

}  // namespace

Checkpoint snapshot(const Learner& learner, const RunPlan& plan,
                    const std::vector<Category>& categories, RunState state) {
  // Member by member: when an initializer of a nested aggregate throws, g++ 12 destroys what was
  // made before it twice.
  Checkpoint checkpoint;
  checkpoint.learner = host_copy(learner.state());
  checkpoint.run = std::move(state);
  checkpoint.description.spec = plan.model.spec;
  const ImageSize size = plan.feed.loader.sample.size;
  checkpoint.description.image_height = size.height;
  checkpoint.description.image_width = size.width;
  for (const auto& category : categories) {
    checkpoint.description.class_names.push_back(category.name);
    checkpoint.description.category_ids.push_back(category.id);
  }
  return checkpoint;
}

int64_t checkpoint_bytes(const std::string& model_size) {
  return static_cast<int64_t>(20e6 * model_variant(model_size).million_parameters);
}

RunState restore_run(RunStart& start, Learner& learner, const RunPlan& plan,
                     const Communicator& group) {
  RunState state;
  if (start.checkpoint) {
    const ErrorContext at("while continuing from ", start.from.string());
    say_what_changed(start.checkpoint->run, plan);
    learner.load(start.checkpoint->learner);
    state = std::move(start.checkpoint->run);
    start.checkpoint.reset();  // its tensors take as much memory as the learner's
  }
  learner.share();
  RunState::entries(state, [&](const char*, auto& field) { field = group.broadcast(field, 0); });
  return state;
}

bool reload_best(const fs::path& folder, Learner& learner, const Communicator& group) {
  const bool found = group.broadcast(group.rank() == 0 && read_best(folder, learner), 0);
  if (found) learner.share();
  return found;
}

}  // namespace dfine::inline run
