#pragma once
// Multi-scale deformable attention (Zhu et al. 2021, section 4.1) in D-FINE's form. It has no
// projections of values or output, and one softmax over all levels and points. A level has as many
// points as the specification says.
#include <cstdint>
#include <memory>
#include <vector>

#include <torch/nn/module.h>

#include "model/foldable.h"
#include "model/layers.h"
#include "ops/deformable_sampling.h"
#include "tensor.h"

namespace dfine::inline model {

/// Features of all levels, one after another, row by row.
struct Memory {
  Tensor tokens;  // [B, L, dim]
  std::vector<LevelShape> levels;
};

class DeformableAttention : public torch::nn::Module, public Foldable {
 public:
  DeformableAttention(int64_t dim, int64_t num_heads, const std::vector<int64_t>& num_points,
                      Initializer& init);

  /// query: [B, Q, dim]; boxes: [B, Q, 4] cx cy w h, around which the points lie: offset / points
  /// of the level * half the size.
  Tensor forward(const Tensor& query, const Tensor& boxes, const Memory& memory) const;
  void fold(Operators operators) override { operators_ = operators; }

 private:
  int64_t num_heads_;
  std::vector<int64_t> num_points_;
  std::shared_ptr<Linear> sampling_offsets_, attention_weights_;
  Operators operators_ = Operators::kFused;
  Tensor num_points_scale_;  // [P] one over the number of points on the point's level
};

}  // namespace dfine::inline model
