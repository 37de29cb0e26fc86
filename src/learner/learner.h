#pragma once
// What learns: the model with its optimizer and EMA, and the step that changes them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/choices.h"
#include "distributed/communicator.h"
#include "input/batch.h"
#include "learner/learner_state.h"
#include "learner/parameter_groups.h"
#include "learner/step.h"
#include "model/dfine.h"
#include "model/to_host_async.h"
#include "optim/adamw.h"
#include "optim/ema.h"
#include "optim/grad_scaler.h"
#include "optim/schedule.h"

namespace dfine::inline learner {

enum class StepOutcome {
  kUpdated,
  /// Half precision overflowed at a finite loss, which is the scale's fault as long as that is
  /// above 1: it was lowered.
  kOverflowed,
  /// The loss or a gradient was not finite.
  kNotFinite,
};

/// What a step reports; the same on all ranks.
struct StepResult {
  double loss = 0;                                     // sum of the terms
  std::vector<std::pair<std::string, double>> losses;  // weighted terms, means over the ranks
  double grad_norm = 0;                                // of the step's gradient, before clipping
  double lr = 0;
  int64_t without_denoising =
      0;  // boxes of all ranks that ModelSpec::max_denoising_queries keeps from denoising
  /// All but kUpdated: the step was skipped on all ranks. Weights, moments, EMA and running
  /// statistics are bit for bit what they were.
  StepOutcome outcome = StepOutcome::kUpdated;
};

/// Every learning rate, decay and warm-up as a number.
struct LearnerOptions {
  OptimizerOptions optimizer;  // learning rates: at the schedule's factor 1
  LrScheduleParams schedule;   // factor of both learning rates at each step
  double clip_norm = 0.1;      // largest global gradient norm; 0: off

  struct EmaOptions {
    double decay = 0.9999;
    int64_t warmup_steps = 0;
  };
  std::optional<EmaOptions> ema;  // unset: off

  TrainingStepOptions step;  // autocast in half comes with a loss scale
  /// The device decides whether a step is skipped, and the host reads the report a step later. So
  /// it does not wait for the device at the end of a step. Results are the same but for the last
  /// bits of the EMA.
  bool late_report = false;
  uint64_t seed = 0;  // of the denoising queries
};

class Learner {
 public:
  /// Collective. Takes over `model` (weights loaded). Moves it to the group's device, gives all
  /// ranks rank zero's weights, checks that they have the same parameters, and makes optimizer and
  /// EMA.
  Learner(std::shared_ptr<DFine> model, LearnerOptions options, const Communicator& group);

  /// Collective. A step on this rank's part of the global batch: its micro-batches, of equal size.
  /// The images are resized to `size` on the device. `step` (from 0) keys the denoising queries;
  /// `schedule_step` is the place in the learning-rate schedule, `step` unless the global batch has
  /// changed during the run.
  ///
  /// The host waits for the device in the matcher, once per micro-batch. Without
  /// LearnerOptions::late_report it also waits once for the report, before the update, because the
  /// report decides whether there is an update.
  void begin_step(const std::vector<Batch>& batches, ImageSize size, int64_t step,
                  std::optional<int64_t> schedule_step = {});
  /// The reports, oldest first, that have come since the last call. With late_report, that of a
  /// step comes while the next one is begun.
  std::vector<StepResult> take_results();
  /// Waits for the report of the last step, if it has not come. The learner's state is whole then.
  void settle();
  /// begin_step() and settle(); the report of this step.
  StepResult step(const std::vector<Batch>& batches, ImageSize size, int64_t step,
                  std::optional<int64_t> schedule_step = {});

  /// What a checkpoint keeps. The tensors share memory with the learner: write them out before the
  /// next step. Steps must be settled.
  LearnerState state() const;
  /// Copies a state in; one without an EMA lets it start from the weights. The loss scale
  /// is taken where both have one. Throws Error listing what does not fit, before the first tensor
  /// changes. For rank zero, before share().
  void load(const LearnerState& saved);
  /// Collective: every rank gets rank zero's state().
  void share();

  DFine& model() { return *model_; }
  AdamW& optimizer() { return *optimizer_; }
  /// Null without LearnerOptions::ema.
  Ema* ema() { return ema_ ? &*ema_ : nullptr; }
  /// Null but for half precision.
  GradScaler* scaler() { return scaler_ ? &*scaler_ : nullptr; }

 private:
  /// A step whose report is on its way to the host.
  struct Unreported {
    StepResult result;  // but for what `sums` tells
    std::vector<std::string> names;
    HostCopy sums;  // report()
  };
  /// Sums of all ranks, divided by their number: the terms and the gradient norm, double
  /// [terms + 1] on the device.
  Tensor report(const Losses& losses, const Tensor& grad_norm) const;
  /// Reads the report, which must have come.
  void read_report();
  /// The update, or what is left to undo where the step is skipped. The host knows, or the device:
  /// `skip` is float [] there, 1 or 0.
  void update(bool finite);
  void update(const Tensor& skip);
  void require_settled() const;

  const LearnerOptions options_;
  const Communicator group_;
  std::shared_ptr<DFine> model_;
  std::vector<Tensor> trained_;
  std::optional<TrainingStep> step_;
  std::optional<AdamW> optimizer_;
  std::optional<GradScaler> scaler_;
  std::optional<Ema> ema_;
  std::vector<double> base_lr_;  // of each parameter group, before the schedule
  std::optional<Unreported> unreported_;
  std::vector<StepResult> results_;
};

}  // namespace dfine::inline learner
