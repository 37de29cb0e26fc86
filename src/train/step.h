#pragma once
// One training step: a function of the weights, the global batch, the seed and the step's number, not of how ranks split the batch.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dist/gradient_reducer.h"
#include "dist/group.h"
#include "input/batch.h"
#include "loss/criterion.h"
#include "model/dfine.h"

namespace dfine {

/// Sums and maxima over all ranks of what a batch holds (one small all-reduce).
GlobalCounts global_counts(const Targets& targets, const Group& group);

/// What draws the denoising queries of a step.
struct StepKey {
  uint64_t seed = 0;
  int64_t step = 0;          // from 0
  int64_t first_sample = 0;  // place of this rank's first image in the global batch
};

/// Forward, criterion, backward. On return the parameters' gradients are those of the global batch, the same on all ranks.
/// `images`: float or double [B, 3, H, W] in [0, 1] on the model's device; `targets` on the same device.
/// Every rank must hold the same number of images.
LossResult forward_backward(DFine& model, const Criterion& criterion, GradientReducer& reducer, const Group& group, const Tensor& images,
                            const Targets& targets, const StepKey& key);

}  // namespace dfine
