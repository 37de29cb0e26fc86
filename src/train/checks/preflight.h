#pragma once
// The most expensive training step and validation batch of a run, tried before the first step.
#include <cstdint>
#include <optional>
#include <vector>

#include "distributed/communicator.h"
#include "learner/learner.h"
#include "train/checks/crowding.h"
#include "train/checks/dataset_stats.h"
#include "train/plan/run_plan.h"

namespace dfine::inline checks {

struct Preflight {
  ImageSize size;  // the largest that steps of this run have
  Crowding boxes;  // most boxes of the run's images and batches
  int64_t peak_bytes =
      0;  // after the step: of the device's memory, or of the process on a CPU; on this rank
  int64_t validation_images = 0;      // of one rank's batch; 0: the run does not validate
  int64_t validation_peak_bytes = 0;  // of both: the step, then the batch
};

/// Collective. Makes one optimizer step at the largest size with as many boxes as a batch of this
/// run can have, then predicts one validation batch. It does so on a model of its own, so that
/// nothing of the run changes, its random numbers included. The memory is given back to the
/// allocator. `val`: unset without validation. Throws Error when something does not fit.
Preflight preflight(const RunPlan& plan, const DatasetStats& train,
                    const std::optional<DatasetStats>& val, const Communicator& group);

/// The parts of it, on a learner that is spoilt by them. `counts`: boxes of each image.

/// Collective. AdamW's moments are there from the start, as in every step of a run but its first.
/// So the peak, during the backward pass, includes them, whether or not the step overflows in half
/// precision.
void try_step(Learner& trial, const FeedOptions& feed, ImageSize size,
              const std::vector<int64_t>& counts);

/// The EMA, if there is one, predicts images of `size`.
void try_validation(Learner& trial, ImageSize size, const std::vector<int64_t>& counts,
                    const Communicator& group);

}  // namespace dfine::inline checks
