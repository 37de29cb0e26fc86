#pragma once
// What to do about a run whose loss or predictions are no longer finite.
#include <string>

#include "train/run/run_folder.h"

namespace dfine::inline run {

/// A hint for the error. `half_precision`: the run trains in bf16 or fp16. It names the checkpoints
/// `last` and `best` if they exist.
std::string divergence_hint(const RunFolder& folder, bool half_precision);

}  // namespace dfine::inline run
