#pragma once
#include <optional>

#include <c10/core/DeviceType.h>

#include "tensor.h"

namespace dfine::inline learner {

/// While it lives, at::autocast computes in `type` on such devices what is safe in it (PyTorch's
/// lists of operations). With none, it computes in the tensors' own types. At its end the copies of
/// weights in `type` are dropped: the next forward pass finds other weights.
class Autocast {
 public:
  Autocast(at::DeviceType device, std::optional<at::ScalarType> type);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool enabled_before_;
  at::ScalarType type_before_;
};

}  // namespace dfine::inline learner
