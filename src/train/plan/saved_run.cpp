#include "train/plan/saved_run.h"

#include "config/keys.h"
#include "config/load.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline plan {
using enum ErrorCode;

void require_continuable(const SavedRun& run, const RunPlan& plan) {
  const Config saved = parse_saved_config(run.config, "the checkpoint's configuration");
  if (saved.model.size != plan.model_size) {
    throw Error(kCheckpointMismatch,
                str_cat("the checkpoint is of D-FINE-", saved.model.size, ", model.size is ",
                        plan.model_size),
                str_cat("set model.size = \"", saved.model.size, "\""));
  }
  if ((saved.model.num_denoising > 0) != (plan.model.spec.num_denoising > 0)) {
    throw Error(
        kCheckpointMismatch,
        str_cat("the checkpoint was trained with model.num_denoising = ", saved.model.num_denoising,
                ", this run has ", plan.model.spec.num_denoising,
                ": with denoising the model has a class embedding more"),
        str_cat("set model.num_denoising = ", saved.model.num_denoising,
                ", or start a new run from its weights: --resume none --set model.weights=FOLDER"));
  }
  const int64_t accumulated = saved.train.gradient_accumulation_steps,
                global_batch = saved.data.batch_size * run.world_size * accumulated;
  if (global_batch != plan.layout.global_batch) {
    throw Error(
        kCheckpointMismatch,
        str_cat("the checkpoint was trained with a global batch of ", global_batch, " (",
                counted(run.world_size, "rank"), " x ", saved.data.batch_size,
                accumulated > 1 ? str_cat(" x ", accumulated) : "", "), this run has ",
                plan.layout.global_batch),
        "use as many ranks and the same data.batch_size, or another split with the same product, "
        "train.gradient_accumulation_steps included");
  }
  if (run.step != run.epoch * plan.layout.steps_per_epoch + run.epoch_step) {
    throw Error(kCheckpointMismatch,
                str_cat("the checkpoint's ", run.step, " steps are ", run.epoch, " epochs and ",
                        run.epoch_step, " steps; with data.train as it is now an epoch has ",
                        plan.layout.steps_per_epoch, " steps"),
                "continue with the data it was trained on");
  }
}

std::string changed_settings(const std::string& saved_toml, const std::string& now_toml) {
  const Config saved = parse_saved_config(saved_toml, "the checkpoint's configuration"),
               config = parse_saved_config(now_toml, "the run's configuration");
  std::string changes;
  for (const ConfigKey& key : config_keys()) {
    const std::string before = to_toml(key.get(saved)), now = to_toml(key.get(config));
    if (before != now && key.name != "run.resume")
      changes += str_cat("\n  ", key.name, " = ", now, ", was ", before);
  }
  return changes;
}

}  // namespace dfine::inline plan
