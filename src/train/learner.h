#pragma once
// What learns: the model with its optimizer and moving average, and the step that changes them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "dist/gradient_reducer.h"
#include "dist/group.h"
#include "input/batch.h"
#include "loss/criterion.h"
#include "model/dfine.h"
#include "optim/adamw.h"
#include "optim/ema.h"
#include "train/recipe.h"

namespace dfine {

/// What a step reports; the same on all ranks.
struct StepResult {
  double loss = 0;                                     // sum of the terms
  std::vector<std::pair<std::string, double>> losses;  // weighted terms, means over the ranks
  double grad_norm = 0;                                // before clipping
  double lr = 0;
};

class Learner {
 public:
  /// Collective. Takes over `model` (weights loaded): moves it to the group's device, gives all ranks rank zero's weights, checks that
  /// they have the same parameters, and makes optimizer and average.
  Learner(std::shared_ptr<DFine> model, const Config& config, const Recipe& recipe, const Group& group);

  /// Collective. Step number `step` (from 0) on this rank's part of the global batch. Throws Error, before any weight changes, when
  /// the loss or the gradient is not finite.
  /// The images are resized to `size` on the device.
  StepResult step(const Batch& batch, ImageSize size, int64_t step);

  DFine& model() { return *model_; }
  AdamW& optimizer() { return *optimizer_; }
  /// Null when ema.enabled is false.
  Ema* ema() { return ema_ ? &*ema_ : nullptr; }

 private:
  const Config config_;
  const Recipe recipe_;
  const Group group_;
  std::shared_ptr<DFine> model_;
  std::vector<Tensor> trained_;
  Criterion criterion_;
  std::optional<GradientReducer> reducer_;
  std::optional<AdamW> optimizer_;
  std::optional<Ema> ema_;
  std::vector<double> base_lr_;  // of each parameter group, before the schedule
};

}  // namespace dfine
