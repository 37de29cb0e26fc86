#pragma once
#include <cstdint>

namespace dfine::inline plan {

/// How a training pack is cut into optimizer steps.
struct EpochLayout {
  int64_t steps_per_epoch = 0;  // of a whole epoch
  int64_t global_batch = 0;     // images of one step, over all ranks and micro-batches
  int world_size = 1;           // ranks
};

}  // namespace dfine::inline plan
