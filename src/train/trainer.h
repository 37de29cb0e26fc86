#pragma once
// The loop over a run's steps: epochs, validation, checkpoints, and why it ends.
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error_code.h"
#include "learner/learner.h"
#include "learner/train_feed.h"
#include "train/checkpoint/run_state.h"
#include "train/run/metrics_log.h"
#include "train/run/progress.h"
#include "train/run/run_checkpoints.h"
#include "train/run/run_context.h"
#include "train/run/stop_poll.h"
#include "train/run/tensorboard.h"
#include "train/validate_learner.h"

namespace dfine::inline train {

enum class RunEnd {
  kComplete,  // all steps are done, or train.patience is over
  kStopped,   // by request; what is done is saved
};

class Trainer {
 public:
  /// Goes on from `state`, which is on the disk where `resumed`. `metrics` is null on ranks other
  /// than zero, and so is `tensorboard`, or where none is wanted. All must outlive this.
  Trainer(const RunContext& context, Learner& learner, RunState state, bool resumed,
          MetricsLog* metrics, TensorBoard* tensorboard);

  /// Collective. Trains to the end: validates, writes checkpoints and metrics.
  RunEnd run();

 private:
  /// A step that the learner has begun.
  struct BegunStep {
    int64_t step, epoch;
    std::vector<size_t> samples;  // of this rank
    double data_time_s;           // the longest of a rank
    std::chrono::steady_clock::time_point begin;
  };
  /// An event line of metrics.jsonl.
  void note(const std::string& event, std::vector<std::pair<std::string, std::string>> values = {});
  void note_failure(ErrorCode code, const std::string& message);
  // The loop and its parts; all collective.
  RunEnd train();
  void begin_stage2();
  void train_step(Progress& progress);
  /// Metrics and log of the steps whose reports have come. Not collective.
  void report_steps(Progress& progress);
  /// Ends the run after too many steps in a row whose loss or gradient was not finite.
  void report_bad_step();
  /// What is due at the end of an epoch. An interrupted run does the rest of it when it goes on.
  void end_epoch();
  void finish_epoch();
  void validate_now();
  /// Of predictions that are not finite, the error says what to do about this run. Empty when the
  /// run is to stop.
  std::vector<WeightsValidation> validate_or_advise();
  /// Rank zero: what the best checkpoint's folder says about its validation.
  void read_best_record();
  void show_in_tensorboard(const std::vector<WeightsValidation>& found);
  void after_no_improvement();
  void go_back_to_best();
  /// Ends the epoch's share of the loop in files and on the terminal.
  void save();
  RunEnd end_run();

  bool is_root() const { return group_.rank() == 0; }
  bool complete() const;
  /// Optimizer steps until the end of the run.
  int64_t steps_left() const;
  DataPosition position() const { return {state_.epoch, state_.epoch_samples}; }
  bool validation_due_after_epoch() const {
    return context_.val_data && state_.epoch_samples == 0 &&
           state_.epoch % plan_.validation.every_epochs == 0;
  }

  const RunContext& context_;
  const RunPlan& plan_;
  const Communicator& group_;
  Learner& learner_;
  MetricsLog* const metrics_;
  TensorBoard* const tensorboard_;
  RunState state_;
  RunCheckpoints checkpoints_;
  StopPoll stop_;
  TrainFeed feed_;
  std::optional<ValidationRecord> best_record_;  // rank zero's; unset where there is none to read
  std::vector<Detection> best_detections_;  // rank zero's; of the best validation of this start
  bool out_of_patience_ = false;
  bool denoising_was_capped_ = false;  // which is said once
  std::deque<BegunStep> begun_;        // steps whose reports have not come, oldest first
  std::optional<BegunStep> bad_step_;  // that all ranks are to report
};

}  // namespace dfine::inline train
