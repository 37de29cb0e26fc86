#pragma once
// Multi-scale deformable sampling (Zhu et al. 2021, section 4.1) as one operator with its gradient.
#include <cstdint>
#include <vector>

#include "tensor.h"

namespace dfine::inline ops {

struct LevelShape {
  int64_t height, width;

  bool operator==(const LevelShape&) const = default;
};

/// sum over points p of weights[p] * value(locations[p]), bilinear, zero outside, pixel centres at
/// (i + 0.5) / size.
///
/// tokens: [B, L, dim] of all levels, one after another, row by row.
/// locations: [B, Q, heads, P, 2] x y in [0, 1]; weights: [B, Q, heads, P].
/// num_points: of each level; together P. The first of them belong to the first level.
/// Returns [B, Q, dim], head after head: in double if the locations are, else in float. It computes
/// in that type; bfloat16 tokens are read as they are.
///
/// On a CPU, gradients do not depend on the number of threads. On a GPU, their sums differ in the
/// last bits from run to run. There is no second derivative.
Tensor deformable_sampling(const Tensor& tokens, const std::vector<LevelShape>& levels,
                           const Tensor& locations, const Tensor& weights,
                           const std::vector<int64_t>& num_points);

}  // namespace dfine::inline ops
