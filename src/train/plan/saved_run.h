#pragma once
// Whether a run may continue what an earlier one saved, and what is different.
#include <cstdint>
#include <string>

#include "train/plan/run_plan.h"

namespace dfine::inline plan {

/// What a checkpoint says of the run that wrote it.
struct SavedRun {
  std::string config;                           // its whole configuration, TOML
  int64_t world_size = 1;                       // ranks
  int64_t step = 0, epoch = 0, epoch_step = 0;  // see RunState
};

/// Throws Error when model size, global batch or steps per epoch (the data) differ, since the steps
/// done would not mean the same. Also throws when one of the two is without denoising.
void require_continuable(const SavedRun& saved, const RunPlan& plan);

/// The keys whose values differ, one per line: "\n  optim.lr = 0.1, was 0.2". Without run.resume.
/// Both configurations are TOML.
std::string changed_settings(const std::string& saved, const std::string& now);

}  // namespace dfine::inline plan
