#include "train/trainer.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "distributed/failure_reporter.h"
#include "train/run/best_checkpoint.h"
#include "train/run/divergence.h"
#include "train/run/run_checkpoint.h"
#include "train/validate_learner.h"

namespace dfine::inline train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

Trainer::Trainer(const RunContext& context, Learner& learner, RunState state)
    : context_(context),
      plan_(context.plan),
      group_(context.group),
      learner_(learner),
      feed_(context.train_data, context.plan.feed, state.step, context.group),
      state_(std::move(state)) {}

void Trainer::run(MetricsLog* metrics) {
  metrics_ = metrics;
  try {
    train();
  } catch (const Error& e) {
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
  if (is_root()) metrics_->write_event({event, state_.step, epoch(), std::move(values)});
}

void Trainer::note_failure(ErrorCode code, const std::string& message) {
  try {
    note("failed", {{"code", std::string(to_string(code))}, {"message", message}});
  } catch (const std::exception&) {  // the disk may be full: the first failure counts
  }
}

void Trainer::train() {
  if (state_.step >= plan_.recipe.total_steps)
    log::info(str_cat("nothing to do: ", state_.step, " of ", plan_.recipe.total_steps,
                      " steps are done"));
  Progress progress(state_.step, plan_.recipe.total_steps, plan_.loop.log_every);
  while (state_.step < plan_.recipe.total_steps && stop_ == Stop::kNo) {
    if (state_.step % plan_.layout.steps_per_epoch == 0) begin_epoch();
    train_step(progress);
    if (state_.step == plan_.recipe.total_steps || stop_ != Stop::kNo ||
        state_.step % plan_.layout.steps_per_epoch == 0) {
      progress.finish_line();
      end_epoch();
    } else if (plan_.loop.checkpoint_every_steps > 0 &&
               state_.step % plan_.loop.checkpoint_every_steps == 0) {
      progress.finish_line();
      save_last();
    }
  }
  log::info(describe_end());
  note("ended", {{"reason", stop_ == Stop::kMaxMinutes ? "max_minutes"
                            : stop_ == Stop::kPatience ? "patience"
                                                       : "complete"}});
  group_.barrier();
}

std::string Trainer::describe_end() const {
  switch (stop_) {
    case Stop::kMaxMinutes:
      return str_cat("stopping after train.max_minutes = ", plan_.loop.max_minutes,
                     "; --resume auto continues");
    case Stop::kPatience:
      return str_cat("stopping after ", counted(validations_since_best(), "validation"),
                     " without a better ", monitor_name(plan_.validation.monitor),
                     " (train.patience): the best is checkpoints/best, of epoch ",
                     state_.best->epoch);
    case Stop::kNo:
      break;
  }
  return str_cat("the run is complete after ", counted(state_.step, "step"));
}

/// At train.stage2_epoch stage 2 begins: from the best weights of stage 1, without strong
/// augmentation.
void Trainer::begin_epoch() {
  if (plan_.recipe.stage2_epoch == 0 || epoch() != plan_.recipe.stage2_epoch) return;
  if (plan_.loop.ema_restart == EmaRestart::kIntended)
    learner_.ema()->restart(plan_.loop.ema_restart_decay);
  note("stage2");
  if (!plan_.loop.stage2_from_best) return;
  if (is_root()) keep_stage1_best(context_.folder);
  go_back_to_best();
}

void Trainer::go_back_to_best() {
  set_failure_context(str_cat("going back to the best weights after step ", state_.step));
  const auto from = reload_best(context_.folder.checkpoint("best_stage1"), learner_, group_);
  if (!from) return;
  log::info(str_cat("stage 2: back to the best weights of stage 1, of step ", *from));
  note("back_to_best");
}

void Trainer::train_step(Progress& progress) {
  const auto step_begin = Clock::now();
  const int64_t epoch = this->epoch();
  set_failure_context(str_cat("epoch ", epoch, ", step ", state_.step + 1));
  const StepInput input = feed_.next();
  const StepResult result = learner_.step(input.batches, input.size, state_.step);
  ++state_.step;

  const bool late =
      plan_.loop.max_minutes > 0 && seconds_since(context_.begin) > 60 * plan_.loop.max_minutes;
  const auto most =
      group_.max({static_cast<int64_t>(input.data_time_s * 1e6), feed_.num_corrupt(), late});
  feed_.share_corrupt(most[1]);
  if (most[2] != 0 && state_.step < plan_.recipe.total_steps) stop_ = Stop::kMaxMinutes;
  if (is_root()) {
    const double data_time_s = static_cast<double>(most[0]) * 1e-6,
                 step_s = seconds_since(step_begin);
    const double images_per_s = static_cast<double>(plan_.layout.global_batch) / step_s;
    metrics_->write_step({.step = state_.step,
                          .epoch = epoch,
                          .loss = result.loss,
                          .losses = result.losses,
                          .grad_norm = result.grad_norm,
                          .lr = result.lr,
                          .images = plan_.layout.global_batch,
                          .images_per_s = images_per_s,
                          .data_wait_s = data_time_s,
                          .skipped = result.outcome != StepOutcome::kUpdated});
    progress.step(state_.step, epoch, result.loss, images_per_s, data_time_s / step_s);
  }
  if (result.without_denoising > 0 && !std::exchange(denoising_was_capped_, true)) {
    log::info(str_cat("model.max_denoising_queries = ", plan_.model.spec.max_denoising_queries,
                      " applies: in step ", state_.step, ", ",
                      counted(result.without_denoising, "box", "boxes"),
                      " had no denoising queries; other ones in each step. Said once"));
  }
  if (result.outcome == StepOutcome::kOverflowed)
    log::info(str_cat("step ", state_.step,
                      " was skipped: half precision overflowed; the loss scale is now ",
                      learner_.scaler()->scale()));
  if (result.outcome == StepOutcome::kNotFinite) {
    after_bad_step(input);
  } else {
    nonfinite_steps_ = 0;
  }
}

void Trainer::after_bad_step(const StepInput& input) {
  std::string mine = str_cat("rank ", group_.rank(), ": image ids");
  for (const Batch& batch : input.batches)
    for (const size_t i : batch.samples) mine += str_cat(" ", context_.train_data.image(i).id);
  std::string all;
  for (const std::string& of_rank : group_.gather(mine, 0)) all += "\n  " + of_rank;
  ++nonfinite_steps_;
  log::warn(str_cat("step ", state_.step, " was skipped: its loss or gradient is not finite; ",
                    nonfinite_steps_, " in a row", all));
  if (nonfinite_steps_ < plan_.loop.max_bad_steps) return;
  throw Error(ErrorCode::kNotFinite,
              str_cat("the loss or the gradient was not finite in ",
                      counted(nonfinite_steps_, "step"), " in a row"),
              str_cat("look at the images named above (dfine_ddp --preview draws batches), ",
                      divergence_hint(context_.folder, plan_.learner.autocast.has_value())));
}

/// `best` before `last`: what `last` says of it is then true whenever the run is killed.
void Trainer::end_epoch() {
  const int64_t done = last_epoch();
  const bool whole = state_.step % plan_.layout.steps_per_epoch == 0,
             complete = state_.step == plan_.recipe.total_steps;
  const bool due = context_.val_data && whole && (done + 1) % plan_.validation.every_epochs == 0;
  if (due || (context_.val_data && (complete || stop_ != Stop::kNo))) {
    if (validate_now(done)) {
      save("best");
    } else if (due && !complete) {
      on_no_improvement(done);
    }
  }
  save_last();
}

std::vector<WeightsValidation> Trainer::validate_or_advise() {
  try {
    return validate_learner(learner_, *context_.val_data, plan_.validation, group_);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kNotFinite) throw;
    throw Error(e.code(), e.message(),
                divergence_hint(context_.folder, plan_.learner.autocast.has_value()));
  }
}

bool Trainer::validate_now(int64_t done) {
  set_failure_context(str_cat("validation after step ", state_.step));
  const auto found = validate_or_advise();
  const WeightsValidation& better = found.front();
  const bool best = state_.validated(plan_.validation.monitor, better.result.score(), done);
  state_.weights = better.weights;
  state_.validations.clear();
  for (const auto& [weights, result] : found)
    state_.validations.push_back(
        {.weights = weights, .epoch = done, .step = state_.step, .metrics = result.metrics()});
  if (is_root()) {
    for (const ValidationRecord& record : state_.validations)
      metrics_->write_validation(record, record.weights == better.weights);
  }
  for (const auto& [weights, result] : found) {
    log::info(str_cat("epoch ", done, " validated, ",
                      weights == WeightsKind::kEma ? "EMA" : "raw weights", ": val_loss ",
                      fixed(result.val_loss, 4), "  AP ", fixed(result.summary.ap, 4), "  AP50 ",
                      fixed(result.summary.ap50, 4),
                      weights != better.weights ? ""
                      : best                    ? "  (best so far)"
                      : found.size() > 1        ? "  (better)"
                                                : ""));
  }
  return best;
}

/// Also where the run stops here: continued later, it goes on as if it had not.
void Trainer::on_no_improvement(int64_t done) {
  if (plan_.loop.patience > 0 && validations_since_best() >= plan_.loop.patience &&
      stop_ == Stop::kNo)
    stop_ = Stop::kPatience;
  if (plan_.recipe.stage2_epoch == 0 || done < plan_.recipe.stage2_epoch) return;
  if (plan_.loop.ema_restart == EmaRestart::kIntended) learner_.ema()->lower_restarted_decay();
  if (plan_.loop.stage2_from_best) go_back_to_best();
}

/// Weights under which the loss has just not been finite may be ruined: they do not take the place
/// of the last good ones.
void Trainer::save_last() {
  save(nonfinite_steps_ == 0 ? "last" : "after_bad_steps");
  if (nonfinite_steps_ > 0)
    log::warn(str_cat(context_.folder.checkpoint("last").string(),
                      " stays as it was: this state is in after_bad_steps"));
}

void Trainer::save(const std::string& name) {
  set_failure_context(str_cat("writing checkpoint ", name, " after step ", state_.step));
  if (is_root())
    save_run(context_.folder.checkpoint(name), learner_, plan_, context_.train_data.categories(),
             state_);
  note("saved", {{"checkpoint", name}});
}

}  // namespace dfine::inline train
