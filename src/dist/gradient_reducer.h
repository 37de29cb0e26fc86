#pragma once
#include <memory>
#include <vector>

#include "dist/group.h"

namespace dfine {

/// Replaces each parameter's gradient by its mean over the ranks during backward(), in buckets of 25 MiB (the last 1 MiB) that are
/// reduced while the rest of the backward pass runs.
///
///   reducer.arm(loss);    // the next backward() reduces; without it gradients only accumulate locally (gradient accumulation)
///   loss.backward();      // on return the gradients are the means, the same to the last bit on all ranks
///
/// With accumulation arm the last backward only: the mean of the accumulated gradients is formed.
/// Gradients are views of the buckets: zero them or reset them to undefined, but do not detach or resize them.
/// Alone it does nothing.
class GradientReducer {
 public:
  /// Collective. `parameters`: those that are trained (requires_grad), in the same order on all ranks.
  GradientReducer(std::vector<Tensor> parameters, const Group& group);
  ~GradientReducer();
  GradientReducer(GradientReducer&&) noexcept;
  GradientReducer& operator=(GradientReducer&&) noexcept;

  /// `loss`: what backward() will be called on. Parameters that it does not depend on, on this rank, count with a zero gradient; one
  /// that no rank's loss depends on keeps the gradient it has.
  void arm(const Tensor& loss);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;  // null when there is nothing to do
};

}  // namespace dfine
