#pragma once
// The points of one item on a CPU, several at once.
#include <algorithm>
#include <cstdint>

#include "ops/deformable_sampling_kernel.h"

namespace dfine::inline ops {

/// Points located at once: two vectors of AVX2, enough for the 12 of the usual models.
inline constexpr int kPointsAtOnce = 16;

/// The levels of the points [first, first + count), laid out for vector instructions. Elements
/// behind them stand for a level of one pixel.
struct PointLevels {
  int64_t first;
  int count;
  int32_t width[kPointsAtOnce], height[kPointsAtOnce], token[kPointsAtOnce];

  PointLevels(const SamplingShape& shape, int64_t first_point)
      : first(first_point),
        count(static_cast<int>(std::min<int64_t>(shape.points - first_point, kPointsAtOnce))) {
    std::fill_n(width, kPointsAtOnce, 1);
    std::fill_n(height, kPointsAtOnce, 1);
    std::fill_n(token, kPointsAtOnce, 0);
    int level = 0;
    for (int i = 0; i < count; ++i) {
      while (first + i >= shape.levels[level].end_point) ++level;
      width[i] = static_cast<int32_t>(shape.levels[level].width);
      height[i] = static_cast<int32_t>(shape.levels[level].height);
      token[i] = static_cast<int32_t>(shape.levels[level].first_token);
    }
  }
};

/// Corners<Real> of each point, with the token of all levels.
template <typename Real>
struct PointCorners {
  int32_t token[4][kPointsAtOnce];
  Real inside[4][kPointsAtOnce];
  Real share[4][kPointsAtOnce];  // times the weight
  Real x[kPointsAtOnce], y[kPointsAtOnce];
  Real weight[kPointsAtOnce];
};

/// look: index of the item's first point.
template <typename Value, typename Real>
DFINE_HOST_DEVICE void locate(const PointLevels& levels, const SamplingInputs<Value, Real>& in,
                              int64_t look, PointCorners<Real>& corners) {
  Real at_x[kPointsAtOnce] = {}, at_y[kPointsAtOnce] = {}, weight[kPointsAtOnce] = {};
  const Real* const at = in.locations + (look + levels.first) * 2;
  for (int64_t i = 0; i < levels.count; ++i) {
    at_x[i] = at[2 * i];
    at_y[i] = at[2 * i + 1];
    weight[i] = in.weights[look + levels.first + i];
  }
  for (int i = 0; i < kPointsAtOnce; ++i) {
    const auto found = corners_of(levels.width[i], levels.height[i], at_x[i], at_y[i]);
    for (int k = 0; k < 4; ++k) {
      corners.token[k][i] = levels.token[i] + found.token[k];
      corners.inside[k][i] = found.inside[k];
      corners.share[k][i] = weight[i] * found.share(k);
    }
    corners.weight[i] = weight[i];
    corners.x[i] = found.x;
    corners.y[i] = found.y;
  }
}

}  // namespace dfine::inline ops
