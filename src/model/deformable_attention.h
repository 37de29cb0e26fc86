#pragma once
// Multi-scale deformable attention (Zhu et al. 2021, section 4.1) in D-FINE's form. It has no
// projections of values or output, and one softmax over all levels and points. A level has as many
// points as the specification says.
#include <cstdint>
#include <memory>
#include <vector>

#include <torch/nn/module.h>

#include "model/layers.h"
#include "tensor.h"

namespace dfine::inline model {

struct LevelShape {
  int64_t height, width;
};

/// Features of all levels, one after another, row by row.
struct Memory {
  Tensor tokens;  // [B, L, dim]
  std::vector<LevelShape> levels;
};

/// sum over points p of weights[p] * value(locations[p]), bilinear, zero outside, pixel centres at
/// (i + 0.5) / size. locations: [B, Q, heads, P, 2] x y in [0, 1]; weights: [B, Q, heads, P]. The P
/// points belong to the levels as num_points says. Returns [B, Q, dim], head after head.
Tensor sample_memory(const Memory& memory, const Tensor& locations, const Tensor& weights,
                     const std::vector<int64_t>& num_points);

class DeformableAttention : public torch::nn::Module {
 public:
  DeformableAttention(int64_t dim, int64_t num_heads, const std::vector<int64_t>& num_points,
                      Initializer& init);

  /// query: [B, Q, dim]; boxes: [B, Q, 4] cx cy w h, around which the points lie: offset / points
  /// of the level * half the size.
  Tensor forward(const Tensor& query, const Tensor& boxes, const Memory& memory) const;

 private:
  int64_t num_heads_;
  std::vector<int64_t> num_points_;
  std::shared_ptr<Linear> sampling_offsets_, attention_weights_;
  Tensor num_points_scale_;  // [P] one over the number of points on the point's level
};

}  // namespace dfine::inline model
