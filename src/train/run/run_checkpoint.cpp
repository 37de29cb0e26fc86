#include "train/run/run_checkpoint.h"

#include <map>
#include <string>
#include <utility>

#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "train/run/checkpoint.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

void check_fits(const RunState& run, const Config& saved, const Config& config,
                const EpochLayout& shape) {
  if ((saved.model.num_denoising > 0) != (config.model.num_denoising > 0)) {
    throw Error(
        str_cat("the checkpoint was trained with model.num_denoising = ", saved.model.num_denoising,
                ", this run has ", config.model.num_denoising,
                ": with denoising the model has a class embedding more"),
        str_cat("set model.num_denoising = ", saved.model.num_denoising,
                ", or start a new run from its weights: --resume none --set model.weights=FOLDER"));
  }
  const int64_t accumulated = saved.train.gradient_accumulation_steps,
                global_batch = saved.data.batch_size * run.world_size * accumulated;
  if (global_batch != shape.global_batch) {
    throw Error(
        str_cat("the checkpoint was trained with a global batch of ", global_batch, " (",
                counted(run.world_size, "rank"), " x ", saved.data.batch_size,
                accumulated > 1 ? str_cat(" x ", accumulated) : "", "), this run has ",
                shape.global_batch),
        "use as many ranks and the same data.batch_size, or another split with the same product, "
        "train.gradient_accumulation_steps included");
  }
  if (run.step != run.epoch * shape.steps_per_epoch + run.epoch_step) {
    throw Error(str_cat("the checkpoint's ", run.step, " steps are ", run.epoch, " epochs and ",
                        run.epoch_step, " steps; with data.train as it is now an epoch has ",
                        shape.steps_per_epoch, " steps"),
                "continue with the data it was trained on");
  }
}

/// A run may be continued with other settings, but not without saying so.
void log_changes(const Config& saved, const Config& config) {
  std::string changes;
  for (const ConfigKey& key : config_keys()) {
    const std::string before = to_toml(key.get(saved)), now = to_toml(key.get(config));
    if (before != now && key.name != "run.resume")
      changes += str_cat("\n  ", key.name, " = ", now, ", was ", before);
  }
  if (!changes.empty())
    log::info("continuing with other settings than the checkpoint's:" + changes);
}

/// A checkpoint that this run can go on from, with the configuration it was trained with.
std::pair<Checkpoint, Config> load_fitting(const fs::path& folder, const Config& config,
                                           const EpochLayout& shape) {
  Checkpoint checkpoint = load_checkpoint(folder.string());
  Config saved = parse_saved_config(checkpoint.run.config, "the checkpoint's configuration");
  if (saved.model.size != config.model.size) {
    throw Error(str_cat("the checkpoint is of D-FINE-", saved.model.size, ", model.size is ",
                        config.model.size),
                str_cat("set model.size = \"", saved.model.size, "\""));
  }
  check_fits(checkpoint.run, saved, config, shape);
  return {std::move(checkpoint), std::move(saved)};
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

void save_run(const fs::path& folder, Learner& learner, const Config& config,
              const std::vector<Category>& categories, RunState state, const EpochLayout& shape) {
  ModelDescription description;
  description.spec = learner.model().spec();
  for (const auto& category : categories) {
    description.class_names.push_back(category.name);
    description.category_ids.push_back(category.id);
  }
  description.image_height = config.data.image_size.height;
  description.image_width = config.data.image_size.width;
  state.epoch = state.step / shape.steps_per_epoch;
  state.epoch_step = state.step % shape.steps_per_epoch;
  state.world_size = shape.world_size;
  state.config = print_config(config);
  save_checkpoint(folder.string(), {std::move(description), learner.state(), std::move(state)});
}

int64_t checkpoint_bytes(const std::string& model_size) {
  // At 80 classes; the official README rounds to 4, 10, 19, 31 and 62. Other numbers of classes
  // change little.
  const std::map<std::string, double> millions{
      {"n", 3.8}, {"s", 10.3}, {"m", 19.6}, {"l", 31.2}, {"x", 62.6}};
  return static_cast<int64_t>(20e6 * millions.at(model_size));
}

void check_resume(const fs::path& folder, const Config& config, const EpochLayout& shape) {
  with_context([&] { load_fitting(folder, config, shape); },
               [&] { return str_cat("while continuing from ", folder.string()); });
}

RunState restore_run(const fs::path& folder, Learner& learner, const EpochLayout& shape,
                     const Config& config, const Communicator& group) {
  RunState state;
  if (group.rank() == 0) {
    with_context(
        [&] {
          auto [checkpoint, saved] = load_fitting(folder, config, shape);
          log_changes(saved, config);
          learner.load(checkpoint.learner);
          state = std::move(checkpoint.run);
        },
        [&] { return str_cat("while continuing from ", folder.string()); });
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
