#include "train/run_training.h"

#include <ATen/Parallel.h>

#include <filesystem>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/text.h"
#include "distributed/cuda_settings.h"
#include "distributed/failure.h"
#include "files/atomic_path.h"
#include "learner/build_model.h"
#include "train/checks/preflight.h"
#include "train/run/best_checkpoint.h"
#include "train/run/metrics_log.h"
#include "train/run/run_checkpoint.h"
#include "train/tools/preview.h"
#include "train/trainer.h"

namespace dfine::inline train {
namespace {

void try_largest_step(const RunContext& context) {
  set_failure_context("trying the largest step of the run (train.preflight)");
  const Preflight tried =
      preflight(context.plan, context.train_stats, context.val_stats, context.group);
  release_unused_memory(context.group.device());
  const auto peak = [](int64_t bytes) { return human_bytes(static_cast<double>(bytes)); };
  log::info(str_cat("pre-flight: a step of ", tried.size.height, "x", tried.size.width,
                    " with up to ", tried.boxes.image, " boxes in an image, ", tried.boxes.batch,
                    " in a batch, fits: ", peak(tried.peak_bytes),
                    context.group.device().is_cpu() ? " in the process" : " on the device",
                    tried.validation_images > 0 ? str_cat("; with a validation batch of ",
                                                          counted(tried.validation_images, "image"),
                                                          ": ", peak(tried.validation_peak_bytes))
                                                : ""));
  set_failure_context("preparing the run");
}

Learner make_learner(const RunContext& context) {
  const RunPlan& plan = context.plan;
  const auto model = build_model(plan.model, /*read_weights=*/context.checkpoint.empty());
  log::info(str_cat("D-FINE-", plan.model_size, ": ", with_commas(count_parameters(*model)),
                    " parameters, ", with_commas(count_parameters(*model, true)), " trained; ",
                    plan.model.class_names.size(), " classes; ", plan.feed.order.num_images,
                    " training images, ", context.val_stats ? context.val_stats->images : 0,
                    " for validation; ", counted(at::get_num_threads(), "thread"), " per rank"));
  const std::string frozen = describe_frozen(*model);
  if (!frozen.empty()) log::info("frozen:\n" + frozen);
  if (plan.model.freeze.backbone) {
    log::warn(
        "model.freeze_backbone: the backbone does not learn. Fine-tuned detectors were far worse "
        "with it; unset it unless memory forces you");
  }
  return {model, plan.learner, context.group};
}

/// Rank zero: makes the run folder and begins its log.
void open_run_folder(const RunContext& context) {
  const auto moved = context.folder.prepare(/*new_run=*/context.checkpoint.empty());
  if (!moved.empty())
    log::info(str_cat("an earlier run in this folder was moved to ", moved.string()));
  write_file_atomically(context.folder.config(), context.plan.config);
  log::add_file(context.folder.log().string());
}

/// Collective. A best that nothing is left of must not keep a later one from being saved.
void require_best(const RunContext& context, RunState& state) {
  const bool found = context.group.rank() == 0 &&
                     import_best(context.folder, context.checkpoint, state.best->step);
  if (context.group.broadcast(found, 0)) return;
  log::warn(str_cat(context.folder.checkpoint("best").string(), " is missing (",
                    monitor_name(state.best->monitor), " ", fixed(state.best->value, 4),
                    " of epoch ", state.best->epoch,
                    "): the search for the best starts over here"));
  state.best.reset();
}

}  // namespace

void run_training(const RunContext& context) {
  const RunPlan& plan = context.plan;
  const bool root = context.group.rank() == 0, resumed = !context.checkpoint.empty();
  if (root) {
    context.folder.require_usable(checkpoint_bytes(plan.model_size));
    if (resumed) check_resume(context.checkpoint, plan);
  }
  if (plan.loop.preflight) try_largest_step(context);
  for (const std::string& warning : context.warnings) log::warn(warning);

  Learner learner = make_learner(context);
  log::info(describe_recipe(plan));
  const std::string dropped = describe_dropped(plan.feed);
  if (!dropped.empty()) log::info(dropped);
  log::info(str_cat("AdamW's parameter groups:\n", describe_groups(learner.optimizer().groups())));
  RunState state;
  if (resumed) {
    state = restore_run(context.checkpoint, learner, plan, context.group);
    log::info(str_cat("continuing ", context.checkpoint.string(), " after step ", state.step));
  }
  context.group.barrier();
  std::optional<MetricsLog> metrics;
  if (root) {
    open_run_folder(context);
    metrics.emplace(context.folder.metrics().string(), resumed ? state.step : -1);
    if (plan.loop.preview > 0)
      write_preview(context.train_data, plan.feed, plan.loop.preview, context.folder.preview());
    metrics->write_event({.event = resumed ? "resumed" : "started",
                          .step = state.step,
                          .epoch = state.epoch,
                          .values = {}});
  }
  context.group.barrier();  // from here on there is a log to write failures to
  set_failure_log(context.folder.log());
  if (resumed && state.best) require_best(context, state);
  Trainer(context, learner, std::move(state)).run(metrics ? &*metrics : nullptr);
}

}  // namespace dfine::inline train
