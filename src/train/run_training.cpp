#include "train/run_training.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/host_name.h"
#include "core/log.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "distributed/cuda_settings.h"
#include "distributed/failure.h"
#include "files/atomic_path.h"
#include "files/process_id.h"
#include "learner/build_model.h"
#include "train/checks/preflight.h"
#include "train/plan/saved_run.h"
#include "train/run/import_checkpoint.h"
#include "train/run/metrics_log.h"
#include "train/run/run_checkpoint.h"
#include "train/run/run_start.h"
#include "train/run/tensorboard.h"
#include "train/tools/preview.h"

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

Learner make_learner(const RunContext& context, bool resumed) {
  const RunPlan& plan = context.plan;
  const auto model = build_model(plan.model, /*read_weights=*/!resumed);
  const std::string frozen = describe_frozen(*model);
  log::info(str_cat("D-FINE-", plan.model_size, ": ", with_commas(count_parameters(*model)),
                    " parameters, ", with_commas(count_parameters(*model, true)), " trained",
                    frozen.empty() ? "; " : " (log.txt lists what is frozen); ",
                    plan.model.class_names.size(), " classes; ", plan.feed.order.num_images,
                    " training images, ", context.val_stats ? context.val_stats->images : 0,
                    " for validation; ", counted(at::get_num_threads(), "thread"), " per rank"));
  if (!frozen.empty()) log::detail("frozen:\n" + frozen);
  if (plan.model.freeze.backbone) {
    log::warn(
        "model.freeze_backbone: the backbone does not learn. Fine-tuned detectors were far worse "
        "with it; unset it unless memory forces you");
  }
  return {model, plan.learner, context.group};
}

/// What is this run's and this start's, beside the checkpoint's.
void begin_attempt(const RunStart& start, const RunPlan& plan, RunState& state) {
  if (start.resumed() && !state.run_id.empty()) {
    ++state.attempt;
  } else {
    state.run_id = random_token() + random_token();
  }
  state.world_size = plan.layout.world_size;
  state.global_batch = plan.layout.global_batch;
  state.config = plan.config;
  state.train_data = plan.train_data;
  if (!plan.val_data.empty()) state.val_data = plan.val_data;
}

/// The links, as the state that the run goes on from means them.
void set_links(const CheckpointStore& store, const RunState& state) {
  const auto set = [&](const char* link, std::optional<int64_t> step) {
    const auto name = step ? store.of_step(*step) : std::nullopt;
    if (name) {
      store.link(link, *name);
    } else {
      store.unlink(link);
    }
  };
  set("last", state.step);
  set("best", state.best ? std::optional(state.best->step) : std::nullopt);
  set("best_stage1", state.best_stage1);
}

/// Rank zero: makes the run folder ready, and begins its log. A best that nothing is left of must
/// not keep a later one from being saved.
void open_run_folder(const RunContext& context, const RunStart& start, RunState& state) {
  const RunFolder& folder = context.folder;
  const auto moved = folder.prepare(/*new_run=*/!start.resumed() || start.elsewhere);
  if (!moved.empty())
    log::info(str_cat("an earlier run in this folder was moved to ", moved.string()));
  try {
    write_file_atomically(folder.config(), context.plan.config);
    log::add_file(folder.log().string());
  } catch (const std::exception& e) {  // neither of them is worth the run
    log::warn(
        str_cat("training goes on without a part of ", folder.dir().string(), ": ", e.what()));
  }
  if (!start.resumed()) return;
  const CheckpointStore store(folder.checkpoints());
  if (start.elsewhere) {
    import_checkpoint(start.from, state, store);
  } else if (const auto current = CheckpointName::parse(start.from.filename().string())) {
    const auto aside = store.set_aside(*current);
    if (!aside.empty())
      log::warn(
          str_cat("checkpoints of later steps, or damaged ones, were moved to ", aside.string()));
  }
  set_links(store, state);
  store.unlink("after_bad_steps");
  if (!state.best || store.of_step(state.best->step)) return;
  log::warn(str_cat(folder.checkpoint("best").string(), " is missing (",
                    monitor_name(state.best->monitor), " ", fixed(state.best->value, 4),
                    " of epoch ", state.best->epoch,
                    "): the search for the best starts over here"));
  state.best.reset();
}

/// Collective. After a change of the global batch, what is left of the epoch may fill none. The
/// epoch then ends, with its validation unless this step has been validated.
void end_epoch_without_a_batch(const RunContext& context, RunState& state) {
  const TrainingOrderOptions& order = context.plan.feed.order;
  if (state.epoch_samples == 0 || order.steps_left_in_epoch({state.epoch, state.epoch_samples}) > 0)
    return;
  const bool validated = context.group.broadcast(
      !state.validations.empty() && state.validations.front().step == state.step, 0);
  ++state.epoch;
  state.epoch_samples = 0;
  state.validation_due =
      !validated && context.val_data && state.epoch % context.plan.validation.every_epochs == 0;
}

/// Rank zero: says what the checkpoints will take where that may be too much.
void check_room(const RunContext& context) {
  std::error_code failed;
  const auto room = std::filesystem::space(context.folder.dir(), failed);
  const int64_t folders = context.plan.checkpoint.keep + 2;  // the best one, one being written
  const auto needed = static_cast<double>(folders * checkpoint_bytes(context.plan.model_size));
  if (failed || static_cast<double>(room.available) >= needed) return;
  log::warn(str_cat("the checkpoints of this run may take ", human_bytes(needed), " (", folders,
                    " folders), but ", human_bytes(static_cast<double>(room.available)),
                    " are free in ", context.folder.dir().string(),
                    ": make room, or lower checkpoint.keep"));
}

}  // namespace

RunEnd run_training(RunContext context, RunStart start) {
  const Communicator& group = context.group;
  const RunPlan& plan = context.plan;
  const bool root = group.rank() == 0, resumed = start.resumed();
  if (start.checkpoint) {
    const ErrorContext at("while continuing from ", start.from.string());
    require_continuable(start.checkpoint->run, start.checkpoint->description, plan,
                        context.packed_classes);
  }
  if (plan.loop.preflight) try_largest_step(context);
  for (const std::string& warning : context.warnings) log::warn(warning);
  end_if_stop_requested();

  Learner learner = make_learner(context, resumed);
  log::info(describe_recipe(plan));
  const std::string dropped = describe_dropped(plan.feed);
  if (!dropped.empty()) log::info(dropped);
  log::detail(
      str_cat("AdamW's parameter groups:\n", describe_groups(learner.optimizer().groups())));
  RunState state;
  if (resumed) {
    state = restore_run(start, learner, plan, group);
    log::info(str_cat("continuing ", start.from.string(), " after step ", state.step));
    end_epoch_without_a_batch(context, state);
  }
  group.barrier();
  end_if_stop_requested();
  const std::vector<std::string> hosts = group.gather(host_name(), 0);
  std::optional<MetricsLog> metrics;
  if (root) {
    begin_attempt(start, plan, state);
    context.minutes_before = state.minutes;
    open_run_folder(context, start, state);
    check_room(context);
    metrics.emplace(context.folder.metrics(), resumed && !start.elsewhere ? state.step : -1);
    if (plan.loop.preview > 0)
      write_preview(context.train_data, plan.feed, plan.loop.preview, context.folder.preview());
    metrics->write_start({.step = state.step,
                          .epoch = state.last_epoch(),
                          .attempt = state.attempt,
                          .run_id = state.run_id,
                          .hosts = hosts,
                          .resumed_from = start.from.string()});
  }
  std::optional<TensorBoard> tensorboard;
  if (root && plan.loop.tensorboard) tensorboard.emplace(context.folder.tensorboard(), state.step);
  state.best = group.broadcast(state.best, 0);
  group.barrier();  // from here on there is a log to write failures to
  set_failure_log(context.folder.log());
  const RunEnd end = Trainer(context, learner, std::move(state), resumed,
                             metrics ? &*metrics : nullptr, tensorboard ? &*tensorboard : nullptr)
                         .run();
  if (root && log::lost_in_file() > 0)
    log::warn(str_cat(counted(log::lost_in_file(), "message"), " of ",
                      context.folder.log().string(), " could not be written and are lost"));
  return end;
}

}  // namespace dfine::inline train
