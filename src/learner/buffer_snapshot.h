#pragma once
#include <vector>

#include <torch/nn/module.h>

#include "tensor.h"

namespace dfine::inline learner {

/// A copy of a module's buffers, to undo what a forward pass changes in them. It changes the
/// running statistics of batch norms and their counters. Neither call waits for the device.
class BufferSnapshot {
 public:
  /// The module must be on its device already.
  explicit BufferSnapshot(const torch::nn::Module& module);

  void save();
  void restore() const;

 private:
  struct OfOneType {
    std::vector<Tensor> buffers, copies;
  };
  OfOneType floating_, counters_;
};

}  // namespace dfine::inline learner
