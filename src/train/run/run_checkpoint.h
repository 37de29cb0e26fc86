#pragma once
// A run's state into a checkpoint folder, and back.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/category.h"
#include "learner/learner.h"
#include "train/checkpoint/run_state.h"
#include "train/plan/run_plan.h"

namespace dfine::inline run {

/// Writes `folder`, whole or not at all. What follows from the others of `state` is filled in:
/// epochs, ranks and configuration.
void save_run(const std::filesystem::path& folder, Learner& learner, const RunPlan& plan,
              const std::vector<Category>& categories, RunState state);

/// Bytes of one checkpoint folder of this size, about: 20 for each parameter (raw weights, EMA,
/// AdamW's two moments, model.safetensors).
int64_t checkpoint_bytes(const std::string& model_size);

/// Whether a run of this plan can continue the checkpoint `folder`: as restore_run, without a
/// learner, so that a mistake shows before anything is computed. Throws Error.
void check_resume(const std::filesystem::path& folder, const RunPlan& plan);

/// Collective. Every rank's learner gets weights, optimizer and EMA of the checkpoint `folder`,
/// which rank zero alone reads. Rank zero logs which settings differ from the checkpoint's. Throws
/// Error where require_continuable() (plan/saved_run.h) does. The classes are those of
/// in_order_of_checkpoint() (checkpoint_order.h). `validations` come back on rank zero only.
RunState restore_run(const std::filesystem::path& folder, Learner& learner, const RunPlan& plan,
                     const Communicator& group);

/// Collective, for the start of stage 2: every rank gets weights, optimizer and EMA of
/// the checkpoint `folder`, which rank zero alone reads. Returns the step it was written after.
/// Where rank zero finds none that fits the learner, it says why in a warning, every rank keeps
/// what it has, and nothing is returned. Ema::restarted_decay stays. The run's own counters are not
/// touched.
std::optional<int64_t> reload_best(const std::filesystem::path& folder, Learner& learner,
                                   const Communicator& group);

}  // namespace dfine::inline run
