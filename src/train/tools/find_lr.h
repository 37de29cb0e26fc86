#pragma once
// dfine_ddp --find-lr: the learning-rate finder.
#include <cstdint>

#include "train/run/run_context.h"

namespace dfine::inline tools {

/// Collective. Trains `steps` steps with the run's own data, model, batch and precision while the
/// learning rate rises from 1e-6 to 0.1. The backbone's keeps its share. Ends early when the loss
/// explodes. Logs a table and a suggestion, and writes RUN_DIR/find-lr.svg and find-lr.csv. Nothing
/// else in the run folder is touched. Throws Error as Trainer does.
void find_lr(const RunContext& context, int64_t steps);

}  // namespace dfine::inline tools
