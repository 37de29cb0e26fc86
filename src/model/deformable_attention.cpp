#include "model/deformable_attention.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include <ATen/ATen.h>

#include "ops/grid_sample.h"

namespace dfine::inline model {
namespace {

/// Each head starts looking in its own direction, one of num_heads around the circle, its n-th
/// point n steps out. [heads * P * 2]
Tensor ring_of_offsets(int64_t num_heads, const std::vector<int64_t>& num_points) {
  std::vector<float> offsets;
  for (int64_t head = 0; head < num_heads; ++head) {
    const double angle =
        2 * std::numbers::pi * static_cast<double>(head) / static_cast<double>(num_heads);
    const double largest = std::max(std::abs(std::cos(angle)), std::abs(std::sin(angle)));
    for (const int64_t points : num_points) {
      for (int64_t n = 1; n <= points; ++n) {
        offsets.push_back(static_cast<float>(std::cos(angle) / largest * static_cast<double>(n)));
        offsets.push_back(static_cast<float>(std::sin(angle) / largest * static_cast<double>(n)));
      }
    }
  }
  return at::tensor(offsets);
}

Tensor one_over_points(const std::vector<int64_t>& num_points) {
  std::vector<float> scale;
  for (const int64_t n : num_points)
    scale.insert(scale.end(), static_cast<size_t>(n), 1.0f / static_cast<float>(n));
  return at::tensor(scale);
}

}  // namespace

DeformableAttention::DeformableAttention(int64_t dim, int64_t num_heads,
                                         const std::vector<int64_t>& num_points, Initializer& init)
    : num_heads_(num_heads), num_points_(num_points) {
  const int64_t total =
      num_heads * std::accumulate(num_points.begin(), num_points.end(), int64_t{0});
  sampling_offsets_ =
      register_module("sampling_offsets", std::make_shared<Linear>(dim, 2 * total, init));
  attention_weights_ =
      register_module("attention_weights", std::make_shared<Linear>(dim, total, init));
  num_points_scale_ = register_buffer("num_points_scale", one_over_points(num_points));
  at::NoGradGuard no_grad;
  sampling_offsets_->weight.zero_();
  sampling_offsets_->bias.copy_(ring_of_offsets(num_heads, num_points));
  attention_weights_->weight.zero_();
  attention_weights_->bias.zero_();
}

Tensor DeformableAttention::forward(const Tensor& query, const Tensor& boxes,
                                    const Memory& memory) const {
  const int64_t batch = query.size(0), queries = query.size(1);
  const Tensor offsets =
      sampling_offsets_->forward(query).view({batch, queries, num_heads_, -1, 2});
  const Tensor weights =
      attention_weights_->forward(query).view({batch, queries, num_heads_, -1}).softmax(-1);
  const Tensor centers = boxes.narrow(2, 0, 2).view({batch, queries, 1, 1, 2});
  const Tensor half_sizes = boxes.narrow(2, 2, 2).view({batch, queries, 1, 1, 2}) * 0.5;
  const Tensor locations = at::addcmul(
      centers, offsets, half_sizes * num_points_scale_.view({-1, 1}));  // [B, Q, heads, P, 2]
  const auto sample = operators_ == Operators::kPlain ? sample_by_grid_sample : deformable_sampling;
  return sample(memory.tokens, memory.levels, locations, weights, num_points_);
}

}  // namespace dfine::inline model
