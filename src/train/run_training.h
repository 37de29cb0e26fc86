#pragma once
// A whole training run.
#include "train/run/run_context.h"
#include "train/run/run_start.h"
#include "train/trainer.h"

namespace dfine::inline train {

/// Collective. Tries the largest step, makes the learner, continues the checkpoint of `start` if
/// there is one, opens the run folder and trains to the end. Throws Error before anything is
/// written where the run cannot work.
RunEnd run_training(RunContext context, RunStart start);

}  // namespace dfine::inline train
