#pragma once
#include <memory>
#include <optional>
#include <vector>

#include <c10/core/ScalarType.h>

#include "distributed/communicator.h"

namespace dfine::inline distributed {

/// Replaces each parameter's gradient by its mean over the ranks. Buckets of 25 MiB (the last 1
/// MiB) are reduced while the rest of the backward pass runs.
///
/// Gradients become views of the buckets: zero them or reset them to undefined, but do not detach
/// or resize them. Undefined is faster: the new gradient is divided and copied into the bucket in
/// one operation. A gradient added to a zeroed view is divided in a second one.
class GradientReducer {
 public:
  /// Collective. `parameters`: those that are trained (requires_grad), in the same order on all
  /// ranks. `sent_as`: the type in which gradients travel, see CompressedAllReduce; unset: their
  /// own.
  GradientReducer(const std::vector<Tensor>& parameters, const Communicator& group,
                  std::optional<at::ScalarType> sent_as = {});
  ~GradientReducer();
  GradientReducer(GradientReducer&&) noexcept;
  GradientReducer& operator=(GradientReducer&&) noexcept;

  /// loss.backward(), after which the gradients are the means over the ranks, the same to the last
  /// bit on all of them. Every rank's loss must depend on every parameter; else an Error. To
  /// accumulate, call loss.backward() itself for all parts but the last: the mean of the
  /// accumulated gradients is formed. Alone it is loss.backward().
  void backward(const Tensor& loss);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;  // null when there is nothing to do
};

}  // namespace dfine::inline distributed
