#pragma once
// Multi-scale deformable sampling and its gradients, one item at a time. The loops of the CPU and
// the threads of the GPU have this in common. deformable_sampling.h defines the function.
#include <cmath>
#include <cstdint>

#include "ops/host_device.h"

namespace dfine::inline ops {

struct SamplingLevel {
  int64_t height, width;
  int64_t first_token;
  int64_t end_point;  // its points are those from the end of the level before
};

struct SamplingShape {
  static constexpr int kMaxLevels = 8;
  int64_t batch, tokens, queries, heads, points;
  int64_t channels;  // of one head
  int num_levels;
  SamplingLevel levels[kMaxLevels];
};

/// Dense arrays; Value: Real or Bfloat16.
template <typename Value, typename Real>
struct SamplingInputs {
  const Value* tokens;    // [batch, tokens, heads, channels]
  const Real* locations;  // [batch, queries, heads, points, 2] x y in [0, 1]
  const Real* weights;    // [batch, queries, heads, points]
};

/// Null where a gradient is not wanted; `locations` and `weights` come together.
template <typename Real>
struct SamplingGradients {
  Real* tokens;  // added to
  Real* locations;
  Real* weights;
};

/// One query's look through one head.
struct SamplingItem {
  int64_t image, query, head;
};

template <typename Real>
struct Corners {
  int64_t token[4];  // upper left, upper right, lower left, lower right; -1: outside of the level
  Real x, y;         // from the upper left to the lower right one, in [0, 1)
  DFINE_HOST_DEVICE Real share(int k) const { return (k % 2 ? x : 1 - x) * (k / 2 ? y : 1 - y); }
};

/// Pixel centres lie at (i + 0.5) / size. Not a number stays so: it reaches the sum, where the
/// check for finite losses finds it.
template <typename Real>
DFINE_HOST_DEVICE Corners<Real> corners_of(const SamplingLevel& level, Real at_x, Real at_y) {
  // In the steps of grid_sample, whose scale is [-1, 1], so that both round alike. Points often lie
  // on a pixel centre, where the derivative jumps.
  const Real x = ((2 * at_x - 1) + 1) * (static_cast<Real>(level.width) / 2) - Real(0.5);
  const Real y = ((2 * at_y - 1) + 1) * (static_cast<Real>(level.height) / 2) - Real(0.5);
  Corners<Real> corners{{-1, -1, -1, -1}, 0, 0};
  if (x <= -1 || y <= -1 || x >= static_cast<Real>(level.width) ||
      y >= static_cast<Real>(level.height))
    return corners;
  const Real left = floor(x), top = floor(y);
  const int64_t column = left == left ? static_cast<int64_t>(left) : 0;
  const int64_t row = top == top ? static_cast<int64_t>(top) : 0;
  corners.x = x - left;
  corners.y = y - top;
  for (int k = 0; k < 4; ++k) {
    const int64_t i = row + k / 2, j = column + k % 2;
    if (i >= 0 && i < level.height && j >= 0 && j < level.width)
      corners.token[k] = level.first_token + i * level.width + j;
  }
  return corners;
}

DFINE_HOST_DEVICE int64_t token_offset(const SamplingShape& shape, const SamplingItem& item,
                                       int64_t token) {
  return ((item.image * shape.tokens + token) * shape.heads + item.head) * shape.channels;
}

DFINE_HOST_DEVICE int64_t look_index(const SamplingShape& shape, const SamplingItem& item) {
  return (item.image * shape.queries + item.query) * shape.heads + item.head;
}

/// Writes channels [first, first + Count) of the item's head to out[0..Count).
template <int Count, typename Value, typename Real>
DFINE_HOST_DEVICE void sample_channels(const SamplingShape& shape,
                                       const SamplingInputs<Value, Real>& in,
                                       const SamplingItem& item, int64_t first, Real* out) {
  Real sum[Count] = {};
  const int64_t look = look_index(shape, item) * shape.points;
  int64_t point = 0;
  for (int l = 0; l < shape.num_levels; ++l) {
    for (; point < shape.levels[l].end_point; ++point) {
      const Real* const at = in.locations + (look + point) * 2;
      const Corners<Real> corners = corners_of(shape.levels[l], at[0], at[1]);
      const Real weight = in.weights[look + point];
      for (int k = 0; k < 4; ++k) {
        if (corners.token[k] < 0) continue;
        const Real share = weight * corners.share(k);
        const Value* const value = in.tokens + token_offset(shape, item, corners.token[k]) + first;
        for (int c = 0; c < Count; ++c) sum[c] += share * to_real<Real>(value[c]);
      }
    }
  }
  for (int c = 0; c < Count; ++c) out[c] = sum[c];
}

/// In pairs, so that the compiler can add vectors. Changes `terms`.
template <int Count, typename Real>
DFINE_HOST_DEVICE Real sum_of(Real* terms) {
  for (int half = Count / 2; half > 0; half /= 2)
    for (int c = 0; c < half; ++c) terms[c] += terms[c + half];
  return terms[0];
}

/// The gradients that come through one point. `gradient`: of the item's output, [channels].
/// add(p, x) adds x to *p; on a GPU other threads add to it at the same time. Block divides the
/// number of channels.
template <int Block, typename Value, typename Real, typename Add>
DFINE_HOST_DEVICE void backward_point(const SamplingShape& shape,
                                      const SamplingInputs<Value, Real>& in,
                                      const SamplingGradients<Real>& out, const SamplingItem& item,
                                      int level, int64_t point, const Real* gradient, Add add) {
  const int64_t look = look_index(shape, item) * shape.points + point;
  const Real* const at = in.locations + look * 2;
  const Corners<Real> corners = corners_of(shape.levels[level], at[0], at[1]);
  const Real weight = in.weights[look];
  Real product[4] = {};  // of the gradient and the corner's values
  for (int64_t first = 0; first < shape.channels; first += Block) {
    Real mine[Block];  // a copy, which no write can change
    for (int c = 0; c < Block; ++c) mine[c] = gradient[first + c];
    for (int k = 0; k < 4; ++k) {
      if (corners.token[k] < 0) continue;
      const int64_t offset = token_offset(shape, item, corners.token[k]) + first;
      if (out.weights) {
        Real terms[Block];
        for (int c = 0; c < Block; ++c) terms[c] = mine[c] * to_real<Real>(in.tokens[offset + c]);
        product[k] += sum_of<Block>(terms);
      }
      if (out.tokens) {
        const Real share = weight * corners.share(k);
        for (int c = 0; c < Block; ++c) add(out.tokens + offset + c, share * mine[c]);
      }
    }
  }
  if (!out.weights) return;
  const Real x = corners.x, y = corners.y;
  out.weights[look] = (product[0] * (1 - x) + product[1] * x) * (1 - y) +
                      (product[2] * (1 - x) + product[3] * x) * y;
  const auto width = static_cast<Real>(shape.levels[level].width);
  const auto height = static_cast<Real>(shape.levels[level].height);
  out.locations[look * 2] =
      weight * width * ((product[1] - product[0]) * (1 - y) + (product[3] - product[2]) * y);
  out.locations[look * 2 + 1] =
      weight * height * ((product[2] - product[0]) * (1 - x) + (product[3] - product[1]) * x);
}

// One thread of the GPU.

/// How many channels a thread computes.
template <int Block>
DFINE_HOST_DEVICE int64_t forward_threads(const SamplingShape& shape) {
  return shape.batch * shape.queries * shape.heads * (shape.channels / Block);
}

template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void forward_thread(const SamplingShape& shape,
                                      const SamplingInputs<Value, Real>& in, int64_t thread,
                                      Real* out) {
  if (thread >= forward_threads<Block>(shape)) return;
  const int64_t blocks = shape.channels / Block;
  const int64_t look = thread / blocks;
  const SamplingItem item{look / (shape.heads * shape.queries), look / shape.heads % shape.queries,
                          look % shape.heads};
  sample_channels<Block>(shape, in, item, thread % blocks * Block, out + thread * Block);
}

/// A thread computes one point.
DFINE_HOST_DEVICE int64_t backward_threads(const SamplingShape& shape) {
  return shape.batch * shape.queries * shape.heads * shape.points;
}

template <int Block, typename Value, typename Real, typename Add>
DFINE_HOST_DEVICE void backward_thread(const SamplingShape& shape,
                                       const SamplingInputs<Value, Real>& in, const Real* gradient,
                                       const SamplingGradients<Real>& out, int64_t thread,
                                       Add add) {
  if (thread >= backward_threads(shape)) return;
  const int64_t point = thread % shape.points, look = thread / shape.points;
  const SamplingItem item{look / (shape.heads * shape.queries), look / shape.heads % shape.queries,
                          look % shape.heads};
  int level = 0;
  while (point >= shape.levels[level].end_point) ++level;
  backward_point<Block>(shape, in, out, item, level, point, gradient + look * shape.channels, add);
}

}  // namespace dfine::inline ops
