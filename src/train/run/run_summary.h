#pragma once
#include <string>

#include "train/checkpoint/run_state.h"
#include "train/plan/run_plan.h"
#include "train/run/run_folder.h"

namespace dfine::inline run {

/// For the end of a run: its best validation, how long it took, and commands for its best
/// checkpoint, which evaluate and use it. Where nothing was validated, they are for the last one.
/// `minutes`: over all attempts. `report`: empty if there is none.
std::string run_summary(const RunState& state, const RunPlan& plan, const RunFolder& folder,
                        double minutes, const std::filesystem::path& report);

}  // namespace dfine::inline run
