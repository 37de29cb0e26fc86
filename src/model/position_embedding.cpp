#include "model/position_embedding.h"

#include <ATen/ATen.h>

namespace dfine::inline model {

Tensor position_embedding(int64_t height, int64_t width, int64_t dim, double temperature,
                          const at::TensorOptions& options) {
  const auto in_double = options.dtype(at::kDouble);
  const Tensor omega = at::pow(
      temperature, -at::arange(dim / 4, in_double) / static_cast<double>(dim / 4));  // [dim / 4]
  const auto waves = [&](int64_t size) {
    const Tensor angle = at::outer(at::arange(size, in_double), omega);
    return at::cat({angle.sin(), angle.cos()}, 1);  // [size, dim / 2]
  };
  const Tensor rows = waves(height).unsqueeze(1).expand({height, width, dim / 2});
  const Tensor columns = waves(width).unsqueeze(0).expand({height, width, dim / 2});
  return at::cat({rows, columns}, 2).view({1, height * width, dim}).to(options);
}

}  // namespace dfine::inline model
