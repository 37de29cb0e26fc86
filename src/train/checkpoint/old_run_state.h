#pragma once
// Checkpoints of version 0.1, whose run state lies in state.pth.
#include "train/checkpoint/run_state.h"
#include "weights/pth.h"

namespace dfine::inline checkpoint {

/// From the content of state.pth. global_batch is 0, and epoch_samples counts steps: the rest takes
/// the configuration to tell. The first ones lack `weights`: the EMA if there is one. Throws Error
/// naming the entry that is wrong.
RunState old_run_state(const PthValue& state);

}  // namespace dfine::inline checkpoint
