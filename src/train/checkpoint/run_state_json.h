#pragma once
// What manifest.json of a checkpoint says of the run.
#include <string>

#include "train/checkpoint/run_state.h"

namespace dfine::inline checkpoint {

/// A JSON object {"run": the fields of RunState::entries by name, "written_by": {"time" (UTC),
/// "host", "process", "job" (Slurm's, "" without), "program" (version)}}. Numbers that are not
/// finite are null.
std::string run_state_json(const RunState& state);

/// Its "run"; null is NaN. Throws Error naming the entry that is missing or of a wrong type.
RunState run_state_from_json(const std::string& text);

}  // namespace dfine::inline checkpoint
