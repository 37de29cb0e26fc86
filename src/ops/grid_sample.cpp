#include "ops/grid_sample.h"

#include <ATen/ATen.h>

namespace dfine::inline ops {

Tensor sample_by_grid_sample(const Tensor& tokens, const std::vector<LevelShape>& levels,
                             const Tensor& locations, const Tensor& weights,
                             const std::vector<int64_t>& num_points) {
  const int64_t batch = locations.size(0), queries = locations.size(1), heads = locations.size(2);
  const int64_t dim = tokens.size(2), head_dim = dim / heads;
  // grid_sample wants x y in [-1, 1].
  const Tensor grid =
      (2 * locations - 1).permute({0, 2, 1, 3, 4}).reshape({batch * heads, queries, -1, 2});
  std::vector<Tensor> samples;
  int64_t token = 0, point = 0;
  for (size_t i = 0; i < num_points.size(); ++i) {
    const auto [height, width] = levels[i];
    const Tensor value = tokens.narrow(1, token, height * width)
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

}  // namespace dfine::inline ops
