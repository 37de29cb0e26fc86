#include "train/run/run_checkpoints.h"

#include <utility>

#include "core/log.h"
#include "core/text.h"
#include "distributed/failure.h"
#include "train/run/run_checkpoint.h"

namespace dfine::inline run {
namespace {

using Clock = std::chrono::steady_clock;

double minutes_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count() / 60;
}

}  // namespace

RunCheckpoints::RunCheckpoints(const RunContext& context, const Learner& learner,
                               MetricsLog* metrics, std::optional<int64_t> saved_step)
    : context_(context),
      learner_(learner),
      metrics_(metrics),
      store_(context.folder.checkpoints()),
      given_step_(saved_step),
      last_save_(Clock::now()) {
  if (metrics == nullptr) return;
  WriterOptions options{.keep = context.plan.checkpoint.keep,
                        .keep_every_epochs = context.plan.checkpoint.keep_every};
  if (context.lock) options.require_held = [lock = context.lock] { lock->require_held(); };
  writer_.emplace(store_, std::move(options));
}

bool RunCheckpoints::due(const RunState& state) const {
  if (!writer_) return false;
  const CheckpointPlan& plan = context_.plan.checkpoint;
  return (plan.every_steps > 0 && state.step % plan.every_steps == 0) ||
         (plan.every_minutes > 0 && minutes_since(last_save_) >= plan.every_minutes);
}

void RunCheckpoints::write(const RunState& state, CheckpointKind kind,
                           std::vector<std::string> links) {
  last_save_ = Clock::now();
  given_step_ = state.step;
  writer_->write(unvalidated_, kind, std::move(links));
}

void RunCheckpoints::save(const RunState& state) {
  if (!writer_ || given_step_ == state.step) return;
  set_failure_context(str_cat("saving after step ", state.step));
  // Not beside the copy of an earlier state that is still being written.
  writer_->wait();
  unvalidated_ = std::make_shared<const Checkpoint>(
      snapshot(learner_, context_.plan, context_.train_data.categories(), state));
  const bool bad = state.bad_steps > 0;
  if (bad) {
    log::warn(str_cat(context_.folder.checkpoint("last").string(),
                      " stays as it was: this state goes to after_bad_steps"));
    write(state, CheckpointKind::kBadSteps, {"after_bad_steps"});
    unvalidated_.reset();
  } else {
    write(state, CheckpointKind::kStep, {"last"});
  }
}

void RunCheckpoints::save_validated(const RunState& state, bool best) {
  const bool bad = state.bad_steps > 0;
  if (!writer_ || (bad && !best)) return;
  set_failure_context(str_cat("saving after the validation of step ", state.step));
  // Nothing has changed the learner since: its copy is still the one, unless the run was resumed
  // between.
  if (unvalidated_ && unvalidated_->run.step == state.step) {
    auto validated = std::make_shared<Checkpoint>(*unvalidated_);  // shares the tensors
    validated->run = state;
    unvalidated_ = std::move(validated);
  } else {
    writer_->wait();
    unvalidated_ = std::make_shared<const Checkpoint>(
        snapshot(learner_, context_.plan, context_.train_data.categories(), state));
  }
  // `best` first: what `last` says of it is then true whenever the run is killed.
  std::vector<std::string> links;
  if (best) links.emplace_back("best");
  if (!bad) links.emplace_back("last");
  write(state, CheckpointKind::kValidated, std::move(links));
  unvalidated_.reset();
}

void RunCheckpoints::handle(const WrittenCheckpoint& written) {
  const std::string name = written.name.text();
  if (!written.failure) {
    failures_ = 0;
    last_failure_.reset();
    metrics_->write_event({.event = "saved",
                           .step = written.name.step,
                           .epoch = written.epoch,
                           .values = {{"checkpoint", name}, {"links", listed(written.links)}}});
    if (written.not_removed)
      log::warn(str_cat("checkpoint ", name,
                        " is written, but earlier ones that need not stay are "
                        "still there: ",
                        written.not_removed->what()));
    return;
  }
  last_failure_ = written.failure;
  ++failures_;
  const int64_t most = context_.plan.checkpoint.max_failures;
  log::warn(str_cat("checkpoint ", name, " could not be written (", failures_, " of at most ", most,
                    " failures in a row); earlier ones are as they were, and training goes on: ",
                    written.failure->what()));
  metrics_->write_event({.event = "save_failed",
                         .step = written.name.step,
                         .epoch = written.epoch,
                         .values = {{"checkpoint", name},
                                    {"code", std::string(to_string(written.failure->code()))},
                                    {"message", written.failure->message()}}});
  if (failures_ >= most || written.failure->code() == ErrorCode::kRunFolderBusy)
    throw *written.failure;
}

void RunCheckpoints::report() {
  if (!writer_) return;
  for (const WrittenCheckpoint& written : writer_->take_written()) handle(written);
}

void RunCheckpoints::finish() {
  if (!writer_) return;
  writer_->wait();
  report();
  if (last_failure_) throw *last_failure_;
}

void RunCheckpoints::keep_stage1_best(const RunState& state) {
  if (!writer_ || !state.best) return;
  writer_->wait();
  const auto best = store_.of_step(state.best->step);
  if (!best) return;
  try {
    store_.link("best_stage1", *best);
  } catch (const Error& e) {  // it is for people: training itself goes by the step
    log::warn(str_cat("training goes on without ", store_.link_path("best_stage1").string(), ": ",
                      e.what()));
  }
}

std::filesystem::path RunCheckpoints::folder_of(int64_t step) {
  if (!writer_) return {};
  writer_->wait();
  const auto name = store_.of_step(step);
  return name ? store_.path(*name) : std::filesystem::path();
}

double RunCheckpoints::minutes() const {
  return context_.minutes_before + minutes_since(context_.begin);
}

}  // namespace dfine::inline run
