#pragma once
// Deformable sampling as the official code writes it, by way of LibTorch's grid_sampler. An
// exported model takes it, since other runtimes know no operator of ours. Tests and
// benchmarks/bench_deformable.cpp compare our own operator with it.
#include <cstdint>
#include <vector>

#include "ops/deformable_sampling.h"
#include "tensor.h"

namespace dfine::inline ops {

/// As deformable_sampling(), in the type of the inputs, which must all have the same.
Tensor sample_by_grid_sample(const Tensor& tokens, const std::vector<LevelShape>& levels,
                             const Tensor& locations, const Tensor& weights,
                             const std::vector<int64_t>& num_points);

}  // namespace dfine::inline ops
