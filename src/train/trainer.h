#pragma once
// The loop over a run's steps: epochs, validation, checkpoints, and why it ends.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/error_code.h"
#include "learner/learner.h"
#include "learner/train_feed.h"
#include "train/checkpoint/run_state.h"
#include "train/run/metrics_log.h"
#include "train/run/progress.h"
#include "train/run/run_context.h"
#include "train/validate_learner.h"

namespace dfine::inline train {

class Trainer {
 public:
  /// Goes on from `state`. `context` and `learner` must outlive this.
  Trainer(const RunContext& context, Learner& learner, RunState state);

  /// Collective. Trains to the end: validates, writes RUN_DIR/checkpoints/{last,best}, and into
  /// `metrics`, which is null on ranks other than zero.
  void run(MetricsLog* metrics);

 private:
  /// An event line of metrics.jsonl.
  void note(const std::string& event, std::vector<std::pair<std::string, std::string>> values = {});
  void note_failure(ErrorCode code, const std::string& message);
  // The loop and its parts; all collective.
  void train();
  void begin_epoch();
  void train_step(Progress& progress);
  void after_bad_step(const StepInput& input);
  void end_epoch();
  /// Of predictions that are not finite, the error says what to do about this run.
  std::vector<WeightsValidation> validate_or_advise();
  bool validate_now(int64_t done);
  void on_no_improvement(int64_t done);
  void go_back_to_best();
  void save_last();
  void save(const std::string& name);

  bool is_root() const { return group_.rank() == 0; }
  int64_t epoch() const { return state_.step / plan_.layout.steps_per_epoch; }
  /// Of the last step.
  int64_t last_epoch() const { return (state_.step - 1) / plan_.layout.steps_per_epoch; }
  int64_t validations_since_best() const {
    return (last_epoch() - state_.best->epoch) / plan_.validation.every_epochs;
  }
  std::string describe_end() const;

  /// Why the run ends before its last step.
  enum class Stop { kNo, kMaxMinutes, kPatience };

  const RunContext& context_;
  const RunPlan& plan_;
  const Communicator& group_;
  Learner& learner_;
  TrainFeed feed_;
  MetricsLog* metrics_ = nullptr;
  RunState state_;
  int64_t nonfinite_steps_ = 0;        // in a row
  bool denoising_was_capped_ = false;  // which is said once
  Stop stop_ = Stop::kNo;
};

}  // namespace dfine::inline train
