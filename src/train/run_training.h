#pragma once
// A whole training run.
#include "train/run/run_context.h"

namespace dfine::inline train {

/// Collective. Tries the largest step, makes the learner, continues a checkpoint if there is one to
/// continue, opens the run folder and trains to the end. Throws Error before anything is written
/// where the run cannot work.
void run_training(const RunContext& context);

}  // namespace dfine::inline train
