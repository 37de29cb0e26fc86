#pragma once
// A run's state into a checkpoint folder, and back.
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <vector>

#include "config/config.h"
#include "data/category.h"
#include "state/checkpoint.h"
#include "train/learner.h"
#include "train/recipe.h"
#include "train/run_folder.h"

namespace dfine {

/// Where a run is, beside what the learner holds.
struct RunState {
  int64_t step = 0;  // optimizer steps done
  double val_loss = std::numeric_limits<double>::quiet_NaN();
  std::optional<Checkpoint::Best> best;
  WeightsKind weights = WeightsKind::kEma;    // which are the better ones, for model.safetensors; without an average the raw ones
  std::vector<ValidationRecord> validations;  // of the last validation, for metrics.json

  /// Takes a validation's figures; true if they are the best so far by `monitor` (least val_loss, highest AP).
  bool validated(Monitor monitor, double new_val_loss, double ap, int64_t epoch);
};

/// Writes `folder`, whole or not at all.
void save_run(const std::filesystem::path& folder, Learner& learner, const Config& config, const std::vector<Category>& categories,
              const RunState& state, const RunShape& shape);

/// Puts the checkpoint's weights, optimizer and average into the learner. Throws Error when the classes, the global batch or the number
/// of steps an epoch (the data) differ: the steps done would not mean the same.
RunState restore_run(const std::filesystem::path& folder, Learner& learner, const std::vector<Category>& categories, const RunShape& shape);

/// Collective, for the start of the second stage: every rank gets weights, optimizer and average of the checkpoint `folder`, which rank
/// zero alone reads. Returns the step it was written after. Where rank zero finds none that fits the learner, it says why in a warning,
/// every rank keeps what it has, and nothing is returned. Ema::restarted_decay stays. The run's own counters are not touched.
std::optional<int64_t> reload_best(const std::filesystem::path& folder, Learner& learner, const Group& group);

/// For rank zero, when the second stage begins: keeps checkpoints/best as checkpoints/best_stage1, by hard links where the file system
/// has them. False if there is no best yet.
bool keep_stage1_best(const RunFolder& folder);

}  // namespace dfine
