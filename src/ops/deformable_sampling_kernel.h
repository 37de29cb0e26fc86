#pragma once
// Multi-scale deformable sampling and its gradients: shapes and corners for the CPU and the GPU,
// and the work of one thread of the GPU. deformable_sampling.h defines the function.
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

/// The four pixels around a point: upper left, upper right, lower left, lower right.
template <typename Real>
struct Corners {
  int32_t token[4];  // of the level; 0 where the pixel is outside
  Real inside[4];    // 1, or 0 outside of the level
  Real x, y;         // from the upper left to the lower right one, in [0, 1)
  DFINE_HOST_DEVICE Real share(int k) const {
    return inside[k] * (k % 2 ? x : 1 - x) * (k / 2 ? y : 1 - y);
  }
};

/// One axis of corners_of.
template <typename Real>
struct Pair {
  Real pixel[2];   // before and behind the point, clamped to the axis
  Real inside[2];  // 1, or 0 where it had to be clamped
  Real part;       // of the way from the first to the second
};

template <typename Real>
DFINE_HOST_DEVICE Pair<Real> pair_of(int32_t size, Real location) {
  const Real count = static_cast<Real>(size);
  // In the steps of grid_sample, whose scale is [-1, 1], so that both round alike. Points often lie
  // on a pixel centre, where the derivative jumps.
  Real at = ((2 * location - 1) + 1) * (count / 2) - Real(0.5);
  at = at < -2 ? -2 : at;
  at = at > count + 1 ? count + 1 : at;
  const Real before = floor(at);
  Pair<Real> pair;
  for (int k = 0; k < 2; ++k) {
    const Real wanted = before + static_cast<Real>(k);
    Real pixel = wanted > 0 ? wanted : 0;
    pixel = pixel < count - 1 ? pixel : count - 1;
    pair.pixel[k] = pixel;
    pair.inside[k] = pixel < wanted ? 0 : pixel > wanted ? 0 : 1;
  }
  pair.part = at - before;
  return pair;
}

/// Pixel centres lie at (i + 0.5) / size. Not a number stays so: it reaches the sum, where the
/// check for finite losses finds it. Without branches, so that a loop over points is vectorised.
template <typename Real>
DFINE_HOST_DEVICE Corners<Real> corners_of(int32_t width, int32_t height, Real at_x, Real at_y) {
  const Pair<Real> x = pair_of(width, at_x), y = pair_of(height, at_y);
  Corners<Real> corners;
  for (int k = 0; k < 4; ++k) {
    corners.token[k] =
        static_cast<int32_t>(y.pixel[k / 2]) * width + static_cast<int32_t>(x.pixel[k % 2]);
    corners.inside[k] = x.inside[k % 2] * y.inside[k / 2];
  }
  corners.x = x.part;
  corners.y = y.part;
  return corners;
}

template <typename Real>
DFINE_HOST_DEVICE Corners<Real> corners_at(const SamplingLevel& level, const Real* location) {
  return corners_of(static_cast<int32_t>(level.width), static_cast<int32_t>(level.height),
                    location[0], location[1]);
}

/// token: of the level.
DFINE_HOST_DEVICE int64_t token_offset(const SamplingShape& shape, const SamplingItem& item,
                                       const SamplingLevel& level, int32_t token) {
  const int64_t of_all = item.image * shape.tokens + level.first_token + token;
  return (of_all * shape.heads + item.head) * shape.channels;
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
      const Corners<Real> corners = corners_at(shape.levels[l], at);
      const Real weight = in.weights[look + point];
      for (int k = 0; k < 4; ++k) {
        if (corners.inside[k] == 0) continue;
        const Real share = weight * corners.share(k);
        const Value* const value =
            in.tokens + token_offset(shape, item, shape.levels[l], corners.token[k]) + first;
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
  const Corners<Real> corners = corners_at(shape.levels[level], at);
  const Real weight = in.weights[look];
  Real product[4] = {};  // of the gradient and the corner's values
  for (int64_t first = 0; first < shape.channels; first += Block) {
    Real mine[Block];  // a copy, which no write can change
    for (int c = 0; c < Block; ++c) mine[c] = gradient[first + c];
    for (int k = 0; k < 4; ++k) {
      if (corners.inside[k] == 0) continue;
      const int64_t offset =
          token_offset(shape, item, shape.levels[level], corners.token[k]) + first;
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
