#pragma once
// One training step. It is a function of the weights, the global batch, the seed and the step's
// number, not of how ranks and micro-batches split the batch. There are two exceptions. Batch norms
// in training mode have the statistics of a micro-batch over all ranks.
// GradientAccumulation::kAveraged takes the mean over micro-batches.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/choices.h"
#include "distributed/communicator.h"
#include "distributed/gradient_reducer.h"
#include "learner/buffer_snapshot.h"
#include "loss/criterion.h"
#include "model/dfine.h"
#include "model/weight_copies.h"

namespace dfine::inline learner {

/// What one rank forwards at once. Of every rank and micro-batch of a step as many images.
struct MicroBatch {
  /// Makes float or double [B, 3, H, W] in [0, 1] on the model's device. It is called when they are
  /// needed, twice where the batch goes forward twice. So one micro-batch of pixels in floating
  /// point is there at a time.
  std::function<Tensor()> images;
  Targets targets;  // in host memory
};

/// What draws the denoising queries of a step.
struct StepKey {
  uint64_t seed = 0;
  int64_t step = 0;  // from 0
};

/// The loss terms of a step, of all micro-batches of this rank: their mean over the ranks is the
/// step's.
struct StepLosses {
  Losses losses;  // constant
  int64_t without_denoising =
      0;  // boxes of all ranks that ModelSpec::max_denoising_queries keeps from denoising
};

struct TrainingStepOptions {
  /// Of forward and backward: bfloat16 or half; unset: off. The matcher and the loss are always
  /// computed in float at least.
  std::optional<at::ScalarType> autocast;
  GradientAccumulation accumulation = GradientAccumulation::kExact;
  GradientCompression compression = GradientCompression::kNone;
  /// Pads boxes, denoising queries and matched pairs (padding.h), so that steps of different boxes
  /// have the same operations on the same shapes. The values stay the same.
  bool padded = false;
};

class TrainingStep {
 public:
  /// Collective. `trained`: the model's parameters that learn. `model`, on the group's device, must
  /// outlive this.
  TrainingStep(DFine& model, const std::vector<Tensor>& trained, const Criterion& criterion,
               const Communicator& group, const TrainingStepOptions& options = {});

  /// Collective. Forward, criterion, backward. On return the parameters' gradients, which must be
  /// undefined before, are `loss_scale` times those of the global batch, the same on all ranks.
  /// Micro-batch k of rank r is part micro_batch_index(k, r, ranks) of the global batch.
  ///
  /// kExact: the loss is normalised by counts of the global batch. How many pairs the unions of
  /// matchings have is known only once all micro-batches have been forwarded. So with K > 1
  /// micro-batches K - 1 of them go forward twice, first without a graph.
  ///
  /// kAveraged: the loss is the mean of K losses, of each micro-batch over all ranks, with counts
  /// and denoising groups of its own. Each goes forward once. With K = 1 both are the same.
  ///
  /// Running statistics change once per micro-batch, in order.
  ///
  /// Where the host waits for the device: in the matcher, once per micro-batch. Nowhere else. After
  /// that, and before the first backward pass, `loss_scale` is called once.
  StepLosses run(
      const std::vector<MicroBatch>& parts, const StepKey& key,
      const std::function<double()>& loss_scale = [] { return 1.0; });

  /// Puts the model's buffers back to what they were before the last run(): here, or on the device
  /// where `skip` (float [], there) is 1.
  void restore_buffers() const { buffers_.restore(); }
  void restore_buffers(const Tensor& skip) const { buffers_.restore_where(skip); }

 private:
  /// Micro-batches that are normalised together, of all those of a step.
  struct Range {
    std::span<const MicroBatch> parts;
    size_t first = 0;   // its place among the step's
    bool last = false;  // nothing comes after it
  };
  /// Adds to the gradients and to `sum` what they would be from this range alone, times `share`.
  void accumulate(const Range& range, const StepKey& key, double share,
                  const std::function<double()>& loss_scale, StepLosses& sum);
  /// `most_boxes`: in one image of all that is normalised together.
  ModelOutput forward(const std::function<Tensor()>& images, const Targets& targets, size_t index,
                      int64_t most_boxes, const StepKey& key);

  DFine& model_;
  const Criterion criterion_;
  const Communicator group_;
  const TrainingStepOptions options_;
  GradientReducer reducer_;
  BufferSnapshot buffers_;
  WeightCopies copies_;
};

}  // namespace dfine::inline learner
