#pragma once
#include <cstdint>

#include <ATen/core/TensorBody.h>

#include "tensor.h"

namespace dfine::inline model {

/// [1, height * width, dim] sines and cosines of row and column in row-major order, dim / 4
/// frequencies each: sin(row), cos(row), sin(column), cos(column). As transformers has it; on a
/// square map also as the official code, which numbers columns first and so scrambles other maps.
/// Computed in double.
Tensor position_embedding(int64_t height, int64_t width, int64_t dim, double temperature,
                          const at::TensorOptions& options);

}  // namespace dfine::inline model
