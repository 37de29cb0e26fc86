#include "train/run_checkpoint.h"

#include "config/load.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "state/weights.h"

namespace dfine {
namespace {

const char* monitor_name(Monitor monitor) {
  return monitor == Monitor::kAp ? "ap" : "val_loss";
}

void check_fits(const Checkpoint& checkpoint, const std::vector<Category>& categories, const RunShape& shape) {
  std::vector<int64_t> ids;
  for (const auto& category : categories) ids.push_back(category.id);
  if (checkpoint.description.category_ids != ids) {
    throw Error("the checkpoint was trained on other classes than data.train has",
                "continue with the data it was trained on, or start anew from its weights: --resume none --set model.weights=FOLDER");
  }
  const Config saved = parse_config(checkpoint.config, "the checkpoint's configuration");
  const int64_t global_batch = saved.data.batch_size * checkpoint.world_size;
  if (global_batch != shape.global_batch) {
    throw Error(cat("the checkpoint was trained with a global batch of ", global_batch, " (", counted(checkpoint.world_size, "rank"), " x ",
                    saved.data.batch_size, "), this run has ", shape.global_batch),
                "use as many ranks and the same data.batch_size, or another split with the same product");
  }
  if (checkpoint.step != checkpoint.epoch * shape.steps_per_epoch + checkpoint.epoch_step) {
    throw Error(cat("the checkpoint's ", checkpoint.step, " steps are ", checkpoint.epoch, " epochs and ", checkpoint.epoch_step,
                    " steps; with data.train as it is now an epoch has ", shape.steps_per_epoch, " steps"),
                "continue with the data it was trained on");
  }
}

}  // namespace

bool RunState::validated(Monitor monitor, double new_val_loss, double ap, int64_t epoch) {
  val_loss = new_val_loss;
  const double value = monitor == Monitor::kAp ? ap : new_val_loss;
  const bool comparable = best && best->monitor == monitor_name(monitor);
  if (comparable && !(monitor == Monitor::kAp ? value > best->value : value < best->value)) return false;
  best = Checkpoint::Best{.monitor = monitor_name(monitor), .value = value, .epoch = epoch, .step = step};
  return true;
}

void save_run(const std::filesystem::path& folder, Learner& learner, const Config& config, const std::vector<Category>& categories,
              const RunState& state, const RunShape& shape) {
  Checkpoint checkpoint;
  checkpoint.description.spec = learner.model().spec();
  for (const auto& category : categories) {
    checkpoint.description.class_names.push_back(category.name);
    checkpoint.description.category_ids.push_back(category.id);
  }
  checkpoint.description.image_height = config.data.image_size.height;
  checkpoint.description.image_width = config.data.image_size.width;
  checkpoint.model = named_tensors(learner.model());
  checkpoint.optimizer = learner.optimizer().state();
  if (learner.ema() != nullptr) checkpoint.ema = {.tensors = learner.ema()->averages(), .updates = learner.ema()->updates()};
  checkpoint.best = state.best;
  checkpoint.epoch = state.step / shape.steps_per_epoch;
  checkpoint.epoch_step = state.step % shape.steps_per_epoch;
  checkpoint.step = state.step;
  checkpoint.val_loss = state.val_loss;
  checkpoint.seed = config.run.seed;
  checkpoint.world_size = shape.world_size;
  checkpoint.config_hash = config_hash(config);
  checkpoint.config = print_config(config);
  save_checkpoint(folder.string(), checkpoint);
}

RunState restore_run(const std::filesystem::path& folder, Learner& learner, const std::vector<Category>& categories,
                     const RunShape& shape) {
  return with_context(
      [&] {
        const Checkpoint checkpoint = load_checkpoint(folder.string());
        check_fits(checkpoint, categories, shape);
        restore_tensors(checkpoint.model, named_tensors(learner.model()));
        learner.optimizer().load(checkpoint.optimizer);
        if (learner.ema() != nullptr && checkpoint.ema) {
          learner.ema()->load(checkpoint.ema->tensors, checkpoint.ema->updates);
        } else if (learner.ema() != nullptr) {
          log::warn("ema.enabled, but the checkpoint has no average: it starts anew from the checkpoint's weights");
          learner.ema()->load(checkpoint.model, 0);
        }
        return RunState{.step = checkpoint.step, .val_loss = checkpoint.val_loss, .best = checkpoint.best};
      },
      [&] { return cat("while continuing from ", folder.string()); });
}

}  // namespace dfine
