#include "train/run/run_checkpoint.h"

#include <map>
#include <string>

#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "learner/broadcast_state.h"
#include "weights/weights.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

void check_fits(const Checkpoint& checkpoint, const Config& saved, const Config& config,
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
                global_batch = saved.data.batch_size * checkpoint.world_size * accumulated;
  if (global_batch != shape.global_batch) {
    throw Error(
        str_cat("the checkpoint was trained with a global batch of ", global_batch, " (",
                counted(checkpoint.world_size, "rank"), " x ", saved.data.batch_size,
                accumulated > 1 ? str_cat(" x ", accumulated) : "", "), this run has ",
                shape.global_batch),
        "use as many ranks and the same data.batch_size, or another split with the same product, "
        "train.gradient_accumulation_steps included");
  }
  if (checkpoint.step != checkpoint.epoch * shape.steps_per_epoch + checkpoint.epoch_step) {
    throw Error(str_cat("the checkpoint's ", checkpoint.step, " steps are ", checkpoint.epoch,
                        " epochs and ", checkpoint.epoch_step,
                        " steps; with data.train as it is now an epoch has ", shape.steps_per_epoch,
                        " steps"),
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

void restore_weights(const Checkpoint& checkpoint, Learner& learner,
                     std::optional<double> restarted_decay) {
  restore_tensors(checkpoint.model, named_tensors(learner.model()));
  Ema* ema = learner.ema();
  if (ema == nullptr) return;
  if (!checkpoint.ema)
    log::warn(
        "ema.enabled, but the checkpoint has no EMA: it starts from the checkpoint's "
        "weights");
  ema->load(checkpoint.ema ? checkpoint.ema->tensors : checkpoint.model,
            checkpoint.ema ? checkpoint.ema->updates : 0, restarted_decay);
}

/// On rank zero. Whatever does not fit shows before the first tensor changes.
std::optional<int64_t> read_best(const fs::path& folder, Learner& learner) {
  try {
    const Checkpoint best = load_checkpoint(folder.string());
    const auto mine = named_tensors(learner.model());
    require_same_tensors(best.model, mine);
    if (best.ema) require_same_tensors(best.ema->tensors, mine);
    learner.optimizer().load(best.optimizer);
    restore_weights(best, learner,
                    learner.ema() != nullptr ? learner.ema()->restarted_decay() : std::nullopt);
    return best.step;
  } catch (const Error& e) {
    log::warn(
        str_cat("stage 2 starts from the weights as they are, since the best ones cannot be "
                "used: ",
                e.what()));
    return std::nullopt;
  }
}

/// What the other ranks need of rank zero's.
void share_progress(RunState& state, const Communicator& group) {
  const Checkpoint::Best best = state.best.value_or(Checkpoint::Best{});
  const bool first = group.rank() == 0;
  const auto mine = [&](double number) { return first ? number : 0; };
  const auto numbers = group.sum({mine(static_cast<double>(state.step)), mine(state.best ? 1 : 0),
                                  mine(best.value), mine(static_cast<double>(best.epoch)),
                                  mine(static_cast<double>(best.step)), mine(best.val_loss)});
  const std::string monitor = group.broadcast(best.monitor, 0);
  state.step = static_cast<int64_t>(numbers[0]);
  if (numbers[1] == 0) return;
  state.best = Checkpoint::Best{.monitor = monitor,
                                .value = numbers[2],
                                .epoch = static_cast<int64_t>(numbers[3]),
                                .step = static_cast<int64_t>(numbers[4]),
                                .val_loss = numbers[5]};
}

}  // namespace

bool RunState::validated(Monitor monitor, const Score& score, int64_t epoch) {
  val_loss = score.val_loss;
  if (best && best->monitor == monitor_name(monitor)) {
    const bool by_ap = monitor == Monitor::kAp;
    const Score so_far{.ap = by_ap ? best->value : score.ap,
                       .val_loss = by_ap ? best->val_loss : best->value};
    if (!is_better(monitor, score, so_far)) return false;
  }
  best = Checkpoint::Best{.monitor = monitor_name(monitor),
                          .value = score.monitored(monitor),
                          .epoch = epoch,
                          .step = step,
                          .val_loss = score.val_loss};
  return true;
}

void save_run(const fs::path& folder, Learner& learner, const Config& config,
              const std::vector<Category>& categories, const RunState& state,
              const EpochLayout& shape) {
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
  if (learner.scaler() != nullptr) checkpoint.scaler = learner.scaler()->state();
  if (const Ema* ema = learner.ema(); ema != nullptr)
    checkpoint.ema = {ema->averages(), ema->updates(), ema->restarted_decay()};
  checkpoint.weights = state.weights;
  checkpoint.validations = state.validations;
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

int64_t checkpoint_bytes(const std::string& model_size) {
  // At 80 classes; the official README rounds to 4, 10, 19, 31 and 62. Other numbers of classes
  // change little.
  const std::map<std::string, double> millions{
      {"n", 3.8}, {"s", 10.3}, {"m", 19.6}, {"l", 31.2}, {"x", 62.6}};
  return static_cast<int64_t>(20e6 * millions.at(model_size));
}

void check_resume(const fs::path& folder, const Config& config, const EpochLayout& shape) {
  with_context(
      [&] {
        const Checkpoint checkpoint = load_checkpoint(folder.string());
        const Config saved =
            parse_saved_config(checkpoint.config, "the checkpoint's configuration");
        if (saved.model.size != config.model.size) {
          throw Error(str_cat("the checkpoint is of D-FINE-", saved.model.size, ", model.size is ",
                              config.model.size),
                      str_cat("set model.size = \"", saved.model.size, "\""));
        }
        check_fits(checkpoint, saved, config, shape);
      },
      [&] { return str_cat("while continuing from ", folder.string()); });
}

RunState restore_run(const fs::path& folder, Learner& learner, const EpochLayout& shape,
                     const Config& config, const Communicator& group) {
  RunState state;
  if (group.rank() == 0) {
    with_context(
        [&] {
          const Checkpoint checkpoint = load_checkpoint(folder.string());
          const Config saved =
              parse_saved_config(checkpoint.config, "the checkpoint's configuration");
          check_fits(checkpoint, saved, config, shape);
          log_changes(saved, config);
          learner.optimizer().load(checkpoint.optimizer);
          if (learner.scaler() != nullptr && checkpoint.scaler)
            learner.scaler()->load(*checkpoint.scaler);
          restore_weights(checkpoint, learner,
                          checkpoint.ema ? checkpoint.ema->restarted_decay : std::nullopt);
          state = {.step = checkpoint.step,
                   .val_loss = checkpoint.val_loss,
                   .best = checkpoint.best,
                   .weights = checkpoint.weights,
                   .validations = checkpoint.validations};
        },
        [&] { return str_cat("while continuing from ", folder.string()); });
  }
  broadcast_state(learner, group);
  share_progress(state, group);
  return state;
}

std::optional<int64_t> reload_best(const fs::path& folder, Learner& learner,
                                   const Communicator& group) {
  constexpr int64_t kNone = -1;
  const int64_t read = group.rank() == 0 ? read_best(folder, learner).value_or(kNone) : kNone;
  const int64_t step = group.max({read}).front();
  if (step == kNone) return std::nullopt;
  broadcast_state(learner, group);
  return step;
}

}  // namespace dfine::inline run
