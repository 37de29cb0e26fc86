#include "train/run_checkpoint.h"

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <map>
#include <sstream>
#include <string>
#include <system_error>

#include "config/load.h"
#include "core/atomic_path.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "state/weights.h"
#include "train/monitor.h"

namespace dfine {
namespace {

void check_fits(const Checkpoint& checkpoint, const std::vector<Category>& categories, const RunShape& shape) {
  std::vector<int64_t> ids;
  for (const auto& category : categories) ids.push_back(category.id);
  if (checkpoint.description.category_ids != ids) {
    throw Error("the checkpoint was trained on other classes than data.train has",
                "continue with the data it was trained on, or start anew from its weights: --resume none --set model.weights=FOLDER");
  }
  const Config saved = parse_config(checkpoint.config, "the checkpoint's configuration");
  const int64_t accumulated = saved.train.accumulate, global_batch = saved.data.batch_size * checkpoint.world_size * accumulated;
  if (global_batch != shape.global_batch) {
    throw Error(cat("the checkpoint was trained with a global batch of ", global_batch, " (", counted(checkpoint.world_size, "rank"), " x ",
                    saved.data.batch_size, accumulated > 1 ? cat(" x ", accumulated) : "", "), this run has ", shape.global_batch),
                "use as many ranks and the same data.batch_size, or another split with the same product, train.accumulate included");
  }
  if (checkpoint.step != checkpoint.epoch * shape.steps_per_epoch + checkpoint.epoch_step) {
    throw Error(cat("the checkpoint's ", checkpoint.step, " steps are ", checkpoint.epoch, " epochs and ", checkpoint.epoch_step,
                    " steps; with data.train as it is now an epoch has ", shape.steps_per_epoch, " steps"),
                "continue with the data it was trained on");
  }
}

void restore_weights(const Checkpoint& checkpoint, Learner& learner, std::optional<double> restarted_decay) {
  restore_tensors(checkpoint.model, named_tensors(learner.model()));
  Ema* ema = learner.ema();
  if (ema == nullptr) return;
  if (!checkpoint.ema) log::warn("ema.enabled, but the checkpoint has no average: it starts anew from the checkpoint's weights");
  ema->load(checkpoint.ema ? checkpoint.ema->tensors : checkpoint.model, checkpoint.ema ? checkpoint.ema->updates : 0, restarted_decay);
}

/// On rank zero. Whatever does not fit shows before the first tensor changes.
std::optional<int64_t> read_best(const std::filesystem::path& folder, Learner& learner) {
  try {
    const Checkpoint best = load_checkpoint(folder.string());
    const auto mine = named_tensors(learner.model());
    require_same_tensors(best.model, mine);
    if (best.ema) require_same_tensors(best.ema->tensors, mine);
    learner.optimizer().load(best.optimizer);
    restore_weights(best, learner, learner.ema() != nullptr ? learner.ema()->restarted_decay() : std::nullopt);
    return best.step;
  } catch (const Error& e) {
    log::warn(cat("the second stage starts from the weights as they are, since the best ones cannot be used: ", e.what()));
    return std::nullopt;
  }
}

std::vector<Tensor> values(const std::map<std::string, Tensor>& tensors) {
  std::vector<Tensor> list;
  for (const auto& [name, tensor] : tensors) list.push_back(tensor);
  return list;
}

/// Which parameters have moments is rank zero's to say too.
void share_optimizer(AdamW& optimizer, const Group& group) {
  AdamWState state = optimizer.state();
  std::string known;
  for (const auto& [index, moments] : state.moments) known += cat(index, " ");
  std::istringstream indices(group.broadcast(known, 0));
  if (group.rank() != 0) {
    state.moments.clear();
    std::vector<Tensor> parameters;
    for (const ParameterGroup& g : optimizer.groups()) parameters.insert(parameters.end(), g.parameters.begin(), g.parameters.end());
    for (int64_t index = 0; indices >> index;) {
      const Tensor zero = at::zeros_like(parameters.at(static_cast<size_t>(index)));
      state.moments[index] = {at::zeros({}, at::kFloat), zero, zero};
    }
    optimizer.load(state);
  }
  std::vector<Tensor> tensors;
  for (const auto& [index, moments] : optimizer.state().moments)
    tensors.insert(tensors.end(), {moments.step, moments.exp_avg, moments.exp_avg_sq});
  group.broadcast(tensors, 0);
}

void share_average(Ema& ema, const Group& group) {
  const int64_t updates = group.max({group.rank() == 0 ? ema.updates() : 0}).front();
  ema.load(ema.averages(), updates, ema.restarted_decay());
  group.broadcast(values(ema.averages()), 0);
}

}  // namespace

bool RunState::validated(Monitor monitor, double new_val_loss, double ap, int64_t epoch) {
  val_loss = new_val_loss;
  const double value = monitor == Monitor::kAp ? ap : new_val_loss;
  const bool comparable = best && best->monitor == monitor_name(monitor);
  if (comparable && !is_better(monitor, value, best->value)) return false;
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
  if (learner.scaler() != nullptr) checkpoint.scaler = learner.scaler()->state();
  if (const Ema* ema = learner.ema(); ema != nullptr) checkpoint.ema = {ema->averages(), ema->updates(), ema->restarted_decay()};
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

RunState restore_run(const std::filesystem::path& folder, Learner& learner, const std::vector<Category>& categories,
                     const RunShape& shape) {
  return with_context(
      [&] {
        const Checkpoint checkpoint = load_checkpoint(folder.string());
        check_fits(checkpoint, categories, shape);
        learner.optimizer().load(checkpoint.optimizer);
        if (learner.scaler() != nullptr && checkpoint.scaler) learner.scaler()->load(*checkpoint.scaler);
        restore_weights(checkpoint, learner, checkpoint.ema ? checkpoint.ema->restarted_decay : std::nullopt);
        return RunState{.step = checkpoint.step,
                        .val_loss = checkpoint.val_loss,
                        .best = checkpoint.best,
                        .weights = checkpoint.weights,
                        .validations = checkpoint.validations};
      },
      [&] { return cat("while continuing from ", folder.string()); });
}

std::optional<int64_t> reload_best(const std::filesystem::path& folder, Learner& learner, const Group& group) {
  constexpr int64_t kNone = -1;
  const int64_t read = group.rank() == 0 ? read_best(folder, learner).value_or(kNone) : kNone;
  const int64_t step = group.max({read}).front();
  if (step == kNone) return std::nullopt;
  group.broadcast(values(named_tensors(learner.model())), 0);
  share_optimizer(learner.optimizer(), group);
  if (learner.ema() != nullptr) share_average(*learner.ema(), group);
  return step;
}

bool keep_stage1_best(const RunFolder& folder) {
  namespace fs = std::filesystem;
  const fs::path best = folder.checkpoint("best");
  std::error_code failed;
  fs::directory_iterator file(best, failed);
  if (failed) return false;
  AtomicFolder kept(folder.checkpoint("best_stage1"));
  for (const auto& entry : file) {
    const fs::path target = kept.path() / entry.path().filename();
    fs::create_hard_link(entry.path(), target, failed);
    if (failed) fs::copy_file(entry.path(), target, failed);
    if (failed) throw Error(cat("cannot copy ", entry.path().string(), " to ", target.string(), ": ", failed.message()));
  }
  kept.commit();
  return true;
}

}  // namespace dfine
