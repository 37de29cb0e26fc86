#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "distributed/failure_reporter.h"
#include "train/checkpoint/checkpoint_metrics.h"
#include "train/checks/peak_memory.h"
#include "train/run/divergence.h"
#include "train/run/final_report.h"
#include "train/run/run_checkpoint.h"
#include "train/run/run_summary.h"
#include "train/run/validation_pictures.h"
#include "train/run/validation_table.h"

namespace dfine::inline train {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Trainer::Trainer(const RunContext& context, Learner& learner, RunState state, bool resumed,
                 MetricsLog* metrics, TensorBoard* tensorboard)
    : context_(context),
      plan_(context.plan),
      group_(context.group),
      learner_(learner),
      metrics_(metrics),
      tensorboard_(tensorboard),
      state_(std::move(state)),
      checkpoints_(context, learner, metrics, resumed ? std::optional(state_.step) : std::nullopt),
      stop_(context),
      feed_(context.train_data, context.plan.feed,
            {.from = position(), .first_step = state_.step, .steps = steps_left()}, context.group),
      out_of_patience_(plan_.loop.patience > 0 &&
                       state_.validations_without_best >= plan_.loop.patience) {}

RunEnd Trainer::run() {
  try {
    return train();
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kRunFolderBusy) {  // its files are another job's now
      log::close_file();
      set_failure_log("");
      throw;
    }
    std::string message = e.message();
    for (const std::string& where : e.context()) message += ", " + where;
    note_failure(e.code(), message);
    throw;
  } catch (...) {
    const FailureText failure = describe_failure(std::current_exception());
    note_failure(failure.code, failure.text);
    throw;
  }
}

void Trainer::note(const std::string& event,
                   std::vector<std::pair<std::string, std::string>> values) {
  if (is_root())
    metrics_->write_event({event, state_.step, state_.last_epoch(), std::move(values)});
}

void Trainer::note_failure(ErrorCode code, const std::string& message) {
  note("failed", {{"code", std::string(to_string(code))}, {"message", message}});
}

bool Trainer::complete() const {
  return steps_left() == 0;
}

int64_t Trainer::steps_left() const {
  const TrainingOrderOptions& order = plan_.feed.order;
  int64_t steps = 0;
  if (state_.epoch < plan_.loop.epochs)
    steps = order.steps_left_in_epoch(position()) +
            (plan_.loop.epochs - state_.epoch - 1) * order.steps_per_epoch();
  if (plan_.loop.max_steps > 0)
    steps = std::min(steps, std::max<int64_t>(0, plan_.loop.max_steps - state_.step));
  return steps;
}

RunEnd Trainer::train() {
  if (complete() && !state_.validation_due)
    log::info(str_cat("nothing to do: all ", counted(state_.step, "step"), " are done"));
  read_best_record();
  Progress progress(state_.step, state_.step + steps_left(), plan_.loop.epochs,
                    plan_.loop.log_seconds, [this] { return peak_bytes(group_.device()); });
  finish_epoch();
  while (!complete() && !stop_.stopped() && !out_of_patience_) {
    begin_stage2();
    train_step(progress);
    if (is_root()) checkpoints_.report();
    const bool ends = state_.epoch_samples == 0 || complete();
    if (!ends && !stop_.stopped() && !checkpoints_.due(state_)) continue;
    learner_.settle();
    report_steps(progress);
    // checkpoints_.due() is rank zero's alone, and reporting a bad step is collective.
    if (ends || stop_.stopped()) report_bad_step();
    if (ends) {
      end_epoch();
    } else {
      save();
    }
  }
  return end_run();
}

RunEnd Trainer::end_run() {
  const bool stopped = stop_.stopped() && !(complete() && !state_.validation_due);
  set_failure_context(str_cat("saving after step ", state_.step));
  if (is_root()) checkpoints_.finish();
  if (stopped) {
    log::info(str_cat("stopped by ", stop_.reason(), " after ", counted(state_.step, "step"),
                      "; --resume auto continues (exit code ", static_cast<int>(kExitSaved), ")"));
    stop_.remove_file();
  } else if (out_of_patience_) {
    log::info(str_cat("stopping after ", counted(state_.validations_without_best, "validation"),
                      " without a better ", monitor_name(plan_.validation.monitor),
                      " (train.patience): the best is checkpoints/best, of epoch ",
                      state_.best->epoch));
  } else {
    log::info(str_cat("the run is complete after ", counted(state_.step, "step")));
  }
  if (is_root() && !stopped)
    log::info(run_summary(state_, plan_, context_.folder, checkpoints_.minutes(),
                          write_final_report(context_, best_detections_)));
  note("ended", {{"reason", stopped            ? stop_.event_reason()
                            : out_of_patience_ ? "patience"
                                               : "complete"}});
  group_.barrier();
  return stopped ? RunEnd::kStopped : RunEnd::kComplete;
}

/// At train.stage2_epoch stage 2 begins: from the best weights of stage 1, without strong
/// augmentation.
void Trainer::begin_stage2() {
  if (state_.stage == 2 || plan_.recipe.stage2_epoch == 0 || state_.epoch_samples != 0 ||
      state_.epoch < plan_.recipe.stage2_epoch)
    return;
  if (plan_.loop.ema_restart == EmaRestart::kIntended)
    learner_.ema()->restart(plan_.loop.ema_restart_decay);
  note("stage2");
  if (plan_.loop.stage2_from_best) {
    if (state_.best) state_.best_stage1 = state_.best->step;
    checkpoints_.keep_stage1_best(state_);
    go_back_to_best();
  }
  state_.stage = 2;
}

void Trainer::go_back_to_best() {
  set_failure_context(str_cat("going back to the best weights after step ", state_.step));
  if (!state_.best_stage1) return;
  if (!reload_best(checkpoints_.folder_of(*state_.best_stage1), learner_, group_)) return;
  log::info(str_cat("stage 2: back to the best weights of stage 1, of step ", *state_.best_stage1));
  note("back_to_best");
}

void Trainer::train_step(Progress& progress) {
  BegunStep begun{.step = state_.step + 1,
                  .epoch = state_.epoch,
                  .samples = {},
                  .data_time_s = 0,
                  .begin = Clock::now()};
  set_failure_context(str_cat("epoch ", begun.epoch, ", step ", begun.step));
  const StepInput input = feed_.next();
  for (const Batch& batch : input.batches)
    begun.samples.insert(begun.samples.end(), batch.samples.begin(), batch.samples.end());
  const int64_t schedule_step = state_.epoch * plan_.layout.steps_per_epoch +
                                state_.epoch_samples / plan_.layout.global_batch;
  learner_.begin_step(input.batches, input.size, state_.step, schedule_step);
  ++state_.step;
  state_.samples += plan_.layout.global_batch;
  const DataPosition next = plan_.feed.order.after(position());
  state_.epoch = next.epoch;
  state_.epoch_samples = next.samples;

  const auto most = group_.max(
      {static_cast<int64_t>(input.data_time_s * 1e6), feed_.num_corrupt(), stop_.wish()});
  feed_.share_corrupt(most[1]);
  if (!complete()) stop_.agree(most[2]);
  if (is_root() && context_.lock) context_.lock->require_held();
  begun.data_time_s = static_cast<double>(most[0]) * 1e-6;
  begun_.push_back(std::move(begun));
  report_steps(progress);
  report_bad_step();
}

void Trainer::report_steps(Progress& progress) {
  for (const StepResult& result : learner_.take_results()) {
    BegunStep begun = std::move(begun_.front());
    begun_.pop_front();
    // Where the report comes a step later, this is from begin to begin.
    const auto end = begun_.empty() ? Clock::now() : begun_.front().begin;
    const double step_s = std::chrono::duration<double>(end - begun.begin).count();
    const double images_per_s = static_cast<double>(plan_.layout.global_batch) / step_s;
    if (is_root()) {
      metrics_->write_step({.step = begun.step,
                            .epoch = begun.epoch,
                            .loss = result.loss,
                            .losses = result.losses,
                            .grad_norm = result.grad_norm,
                            .lr = result.lr,
                            .images = plan_.layout.global_batch,
                            .images_per_s = images_per_s,
                            .data_wait_s = begun.data_time_s,
                            .memory_bytes = peak_bytes(group_.device()),
                            .skipped = result.outcome != StepOutcome::kUpdated});
      const bool logged = progress.step({.step = begun.step,
                                         .epoch = begun.epoch,
                                         .loss = result.loss,
                                         .lr = result.lr,
                                         .images = plan_.layout.global_batch,
                                         .seconds = step_s,
                                         .data_wait_s = begun.data_time_s});
      if (logged && tensorboard_ != nullptr) {
        std::vector<std::pair<std::string, double>> values{
            {"train/loss", result.loss},
            {"train/grad_norm", result.grad_norm},
            {"train/lr", result.lr},
            {"speed/images_per_s", images_per_s},
            {"speed/data_wait_s", begun.data_time_s},
            {"speed/memory_bytes", static_cast<double>(peak_bytes(group_.device()))}};
        for (const auto& [name, value] : result.losses) values.emplace_back("loss/" + name, value);
        tensorboard_->scalars(begun.step, values);
      }
    }
    if (result.without_denoising > 0 && !std::exchange(denoising_was_capped_, true)) {
      log::info(str_cat("model.max_denoising_queries = ", plan_.model.spec.max_denoising_queries,
                        " applies: in step ", begun.step, ", ",
                        counted(result.without_denoising, "box", "boxes"),
                        " had no denoising queries; other ones in each step. Said once"));
    }
    if (result.outcome == StepOutcome::kOverflowed)
      log::info(str_cat("step ", begun.step,
                        " was skipped: half precision overflowed; the loss scale is now ",
                        learner_.scaler()->scale()));
    if (result.outcome == StepOutcome::kNotFinite) {
      ++state_.bad_steps;
      bad_step_ = std::move(begun);
    } else {
      state_.bad_steps = 0;
    }
  }
}

void Trainer::report_bad_step() {
  if (!bad_step_) return;
  const BegunStep bad = *std::exchange(bad_step_, std::nullopt);
  std::string mine = str_cat("rank ", group_.rank(), ": image ids");
  for (const size_t i : bad.samples) mine += str_cat(" ", context_.train_data.image(i).id);
  std::string all;
  for (const std::string& of_rank : group_.gather(mine, 0)) all += "\n  " + of_rank;
  log::warn(str_cat("step ", bad.step, " was skipped: its loss or gradient is not finite; ",
                    state_.bad_steps, " in a row", all));
  if (state_.bad_steps < plan_.loop.max_bad_steps) return;
  throw Error(ErrorCode::kNotFinite,
              str_cat("the loss or the gradient was not finite in ",
                      counted(state_.bad_steps, "step"), " in a row"),
              str_cat("look at the images named above (dfine_ddp --preview draws batches), ",
                      divergence_hint(context_.folder, plan_.learner.step.autocast.has_value())));
}

void Trainer::end_epoch() {
  state_.validation_due = validation_due_after_epoch() || (context_.val_data && complete());
  save();
  finish_epoch();
}

void Trainer::finish_epoch() {
  if (state_.validation_due && !stop_.stopped()) validate_now();
  if (state_.back_to_best_due && !complete() && !stop_.stopped() && !out_of_patience_)
    after_no_improvement();
}

std::vector<WeightsValidation> Trainer::validate_or_advise() {
  try {
    return validate_learner(learner_, *context_.val_data, plan_.validation, group_, [&] {
      stop_.agree(group_.max({stop_.request()})[0]);
      return stop_.stopped();
    });
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kNotFinite) throw;
    throw Error(e.code(), e.message(),
                divergence_hint(context_.folder, plan_.learner.step.autocast.has_value()));
  }
}

void Trainer::read_best_record() {
  if (!is_root() || !state_.best) return;
  try {
    const auto file = checkpoints_.folder_of(state_.best->step) / "metrics.json";
    const auto records = read_checkpoint_metrics(file);
    if (!records.empty()) best_record_ = records.front();
  } catch (const Error& e) {  // validations are then shown without a comparison
    log::warn(e.message());
  }
}

void Trainer::show_in_tensorboard(const std::vector<WeightsValidation>& found) {
  constexpr size_t kPictures = 4;
  for (const auto& [weights, result] : found) {
    const std::string name = weights == WeightsKind::kEma ? "val_ema/" : "val_raw/";
    std::vector<std::pair<std::string, double>> values;
    for (const auto& [metric, value] : result.metrics())
      if (value != -1) values.emplace_back(name + metric, value);
    tensorboard_->scalars(state_.step, values);
  }
  const std::vector<Detection>& detections = found.front().result.detections;
  std::vector<double> scores;
  for (const Detection& d : detections) scores.push_back(d.score);
  tensorboard_->histogram(state_.step, "val/scores", scores);
  size_t i = 0;
  for (const Image& picture : validation_pictures(*context_.val_data, detections, kPictures))
    tensorboard_->picture(state_.step, str_cat("val/image_", i++), picture);
}

void Trainer::validate_now() {
  set_failure_context(str_cat("validation after step ", state_.step));
  const auto found = validate_or_advise();
  if (found.empty()) return;
  const WeightsValidation& better = found.front();
  const bool best = state_.validated(plan_.validation.monitor, better.result.score());
  state_.validation_due = false;
  state_.weights = better.weights;
  state_.validations.clear();
  for (const auto& [weights, result] : found) {
    state_.validations.push_back({.weights = weights,
                                  .epoch = state_.last_epoch(),
                                  .step = state_.step,
                                  .metrics = result.metrics(),
                                  .thresholds = result.thresholds});
  }
  if (is_root()) {
    for (const ValidationRecord& record : state_.validations)
      metrics_->write_validation(record, record.weights == better.weights);
  }
  if (is_root()) {
    log::info(str_cat("epoch ", state_.last_epoch(), " validated", best ? ": the best so far" : "",
                      validation_table(state_.validations, best_record_)));
    if (best) {
      best_record_ = state_.validations.front();
      best_detections_ = better.result.detections;
    }
    if (tensorboard_ != nullptr) show_in_tensorboard(found);
  }
  if (!best && validation_due_after_epoch()) {
    out_of_patience_ = plan_.loop.patience > 0 && !complete() &&
                       state_.validations_without_best >= plan_.loop.patience;
    state_.back_to_best_due =
        state_.stage == 2 &&
        (plan_.loop.ema_restart == EmaRestart::kIntended || plan_.loop.stage2_from_best);
  }
  if (is_root()) {
    state_.minutes = checkpoints_.minutes();
    checkpoints_.save_validated(state_, best);
  }
}

void Trainer::after_no_improvement() {
  if (plan_.loop.ema_restart == EmaRestart::kIntended) learner_.ema()->lower_restarted_decay();
  if (plan_.loop.stage2_from_best) go_back_to_best();
  state_.back_to_best_due = false;
}

void Trainer::save() {
  if (!is_root()) return;
  state_.minutes = checkpoints_.minutes();
  checkpoints_.save(state_);
}

}  // namespace dfine::inline train
