#pragma once
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <c10/core/Storage.h>
#include <c10/util/ArrayRef.h>

#include <vector>

#include "tensor.h"

namespace dfine::inline input {

/// Pageable memory for tensors on the CPU, taken again once nobody else holds it. Fresh memory
/// costs a page fault every 4 KiB: for a batch of floats more time than all that is done with it.
/// Large tensors begin at a huge page, and the system is asked for such pages. One thread at a
/// time.
class TensorPool {
 public:
  /// Not initialised. The tensor may share memory with one given earlier of which no tensor and no
  /// view is left.
  Tensor take(at::IntArrayRef sizes, at::ScalarType dtype,
              at::MemoryFormat format = at::MemoryFormat::Contiguous);

 private:
  std::vector<c10::Storage> memory_;
};

}  // namespace dfine::inline input
