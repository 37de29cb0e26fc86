#include "model/deformable_attention.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include <ATen/ATen.h>

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

Tensor sample_memory(const Memory& memory, const Tensor& locations, const Tensor& weights,
                     const std::vector<int64_t>& num_points) {
  const int64_t batch = locations.size(0), queries = locations.size(1), heads = locations.size(2);
  const int64_t dim = memory.tokens.size(2), head_dim = dim / heads;
  // grid_sample wants x y in [-1, 1].
  const Tensor grid =
      (2 * locations - 1).permute({0, 2, 1, 3, 4}).reshape({batch * heads, queries, -1, 2});
  std::vector<Tensor> samples;
  int64_t token = 0, point = 0;
  for (size_t i = 0; i < num_points.size(); ++i) {
    const auto [height, width] = memory.levels[i];
    const Tensor value = memory.tokens.narrow(1, token, height * width)
                             .transpose(1, 2)
                             .reshape({batch * heads, head_dim, height, width});
    samples.push_back(at::grid_sampler(value, grid.narrow(2, point, num_points[i]), /*bilinear*/ 0,
                                       /*zeros*/ 0, /*align_corners=*/false));
    token += height * width;
    point += num_points[i];
  }
  const Tensor by_head = weights.permute({0, 2, 1, 3}).reshape({batch * heads, 1, queries, -1});
  const Tensor sum = (at::cat(samples, 3) * by_head).sum(3);  // [B * heads, head_dim, Q]
  return sum.view({batch, dim, queries}).transpose(1, 2);
}

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
  return sample_memory(memory, locations, weights, num_points_);
}

}  // namespace dfine::inline model
