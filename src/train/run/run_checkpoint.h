#pragma once
// A run's state into a checkpoint, and back.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/category.h"
#include "learner/learner.h"
#include "train/checkpoint/checkpoint.h"
#include "train/plan/run_plan.h"
#include "train/run/run_start.h"

namespace dfine::inline run {

/// For rank zero: what a checkpoint is to hold, copied into host memory.
Checkpoint snapshot(const Learner& learner, const RunPlan& plan,
                    const std::vector<Category>& categories, RunState state);

/// Bytes of one checkpoint folder of this size, about: 20 for each parameter (raw weights, EMA,
/// AdamW's two moments, model.safetensors).
int64_t checkpoint_bytes(const std::string& model_size);

/// Collective. Every rank's learner gets weights, optimizer and EMA of the checkpoint that rank
/// zero has in `start`, which loses it. Rank zero logs which settings differ from the checkpoint's.
/// Throws Error where the learner is another one. `validations` come back on rank zero only.
RunState restore_run(RunStart& start, Learner& learner, const RunPlan& plan,
                     const Communicator& group);

/// Collective, for the start of stage 2: every rank gets weights, optimizer and EMA of
/// the checkpoint `folder`, which rank zero alone reads. True then. Where rank zero finds none that
/// fits the learner, it says why in a warning, and every rank keeps what it has.
/// Ema::restarted_decay stays. The run's own counters are not touched.
bool reload_best(const std::filesystem::path& folder, Learner& learner, const Communicator& group);

}  // namespace dfine::inline run
