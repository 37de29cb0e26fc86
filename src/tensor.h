#pragma once
#include <ATen/core/Tensor.h>

namespace dfine {
using at::Tensor;
}  // namespace dfine
