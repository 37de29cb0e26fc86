#pragma once
#include <torch/nn/module.h>

#include "tensor.h"

namespace dfine::inline learner {

/// A copy of a module's buffers, to undo what a forward pass changes in them. It changes the
/// running statistics of batch norms and their counters. No call waits for the device.
class BufferSnapshot {
 public:
  /// The module must be on its device already. Its buffers of one type become parts of one tensor,
  /// so that each call is one operation per type.
  explicit BufferSnapshot(const torch::nn::Module& module);

  void save();
  void restore() const;
  /// Where `skip` (float [], on the device) is 1, as restore(); where it is 0, nothing changes.
  void restore_where(const Tensor& skip) const;

 private:
  struct OfOneType {
    Tensor buffers, copy;  // [values of all]
  };
  OfOneType floating_, counters_;
};

}  // namespace dfine::inline learner
