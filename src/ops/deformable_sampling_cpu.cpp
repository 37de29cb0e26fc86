#include "ops/deformable_sampling_cpu.h"

#include <cstring>
#include <type_traits>
#include <vector>

#include "ops/deformable_sampling_points.h"
#include "ops/float_lanes.h"

namespace dfine::inline ops {
namespace {

/// Calls body with the largest of the block sizes that divides the channels of a head.
template <typename Body>
DFINE_HOST_DEVICE void with_block(int64_t channels, Body body) {
  if (channels % 32 == 0) {
    body.template operator()<32>();
  } else if (channels % 16 == 0) {
    body.template operator()<16>();
  } else if (channels % 4 == 0) {
    body.template operator()<4>();
  } else {
    body.template operator()<1>();
  }
}

/// Whether the channels are summed in vectors.
template <int Block, typename Real>
inline constexpr bool kInLanes = std::is_same_v<Real, float> && Block % kLanes == 0;

/// All points in chunks, for every item of a call.
std::vector<PointLevels> levels_of(const SamplingShape& shape) {
  std::vector<PointLevels> chunks;
  for (int64_t first = 0; first < shape.points; first += kPointsAtOnce)
    chunks.emplace_back(shape, first);
  return chunks;
}

/// Adds the shares of `count` points to `Block` channels of one item. tokens: of its head, from the
/// first of these channels on; `stride` apart.
template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void add_points(int count, const PointCorners<Real>& corners, const Value* tokens,
                                  int64_t stride, Real* out) {
  if constexpr (kInLanes<Block, Real>) {
    FloatLanes sum[Block / kLanes];
    for (int c = 0; c < Block / kLanes; ++c) load(out + c * kLanes, sum[c]);
    for (int p = 0; p < count; ++p) {
      for (int k = 0; k < 4; ++k) {
        const Value* const value = tokens + corners.token[k][p] * stride;
        for (int c = 0; c < Block / kLanes; ++c) {
          FloatLanes x;
          load(value + c * kLanes, x);
          sum[c] += corners.share[k][p] * x;
        }
      }
    }
    memcpy(out, sum, sizeof sum);
  } else {
    for (int p = 0; p < count; ++p) {
      for (int k = 0; k < 4; ++k) {
        const Value* const value = tokens + corners.token[k][p] * stride;
        for (int c = 0; c < Block; ++c) out[c] += corners.share[k][p] * to_real<Real>(value[c]);
      }
    }
  }
}

/// The same backwards. gradient: of these channels. Adds to the tokens' gradients, unless they are
/// null, and to the products of the gradient with the values of the corners, [points][4].
template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void add_gradients(int count, const PointCorners<Real>& corners,
                                     const Value* tokens, int64_t stride, const Real* gradient,
                                     Real* token_gradients, Real (*product)[4]) {
  if constexpr (kInLanes<Block, Real>) {
    FloatLanes mine[Block / kLanes];
    for (int c = 0; c < Block / kLanes; ++c) load(gradient + c * kLanes, mine[c]);
    for (int p = 0; p < count; ++p) {
      FloatLanes terms[4] = {};
      for (int k = 0; k < 4; ++k) {
        const int64_t at = corners.token[k][p] * stride;
        for (int c = 0; c < Block / kLanes; ++c) {
          FloatLanes x;
          load(tokens + at + c * kLanes, x);
          terms[k] += mine[c] * x;
          if (token_gradients)
            add(corners.share[k][p] * mine[c], token_gradients + at + c * kLanes);
        }
      }
      Real sums[4];
      sums_of(terms, sums);
      for (int k = 0; k < 4; ++k) product[p][k] += sums[k];
    }
  } else {
    for (int p = 0; p < count; ++p) {
      for (int k = 0; k < 4; ++k) {
        const int64_t at = corners.token[k][p] * stride;
        for (int c = 0; c < Block; ++c) {
          product[p][k] += gradient[c] * to_real<Real>(tokens[at + c]);
          if (token_gradients) token_gradients[at + c] += corners.share[k][p] * gradient[c];
        }
      }
    }
  }
}

template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void forward_items(const SamplingShape& shape,
                                     const SamplingInputs<Value, Real>& in, Real* out,
                                     const std::vector<PointLevels>& chunks, int64_t begin,
                                     int64_t end) {
  const int64_t stride = shape.heads * shape.channels;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t head = i % shape.heads, image = i / (shape.heads * shape.queries);
    const Value* const tokens = in.tokens + image * shape.tokens * stride + head * shape.channels;
    Real* const mine = out + i * shape.channels;
    for (int64_t c = 0; c < shape.channels; ++c) mine[c] = 0;
    for (const PointLevels& levels : chunks) {
      PointCorners<Real> corners;
      locate(levels, in, i * shape.points, corners);
      for (int64_t first = 0; first < shape.channels; first += Block)
        add_points<Block>(levels.count, corners, tokens + first, stride, mine + first);
    }
  }
}

/// What the points of one item give to `out`, from the products of the gradient with the values of
/// their corners.
template <typename Real>
DFINE_HOST_DEVICE void point_gradients(const PointLevels& levels, const PointCorners<Real>& at,
                                       const Real (*product)[4], const SamplingGradients<Real>& out,
                                       int64_t look) {
  Real weights[kPointsAtOnce], along_x[kPointsAtOnce], along_y[kPointsAtOnce];
  for (int i = 0; i < kPointsAtOnce; ++i) {
    Real corner[4];
    for (int k = 0; k < 4; ++k) corner[k] = at.inside[k][i] != 0 ? product[i][k] : 0;
    const Real x = at.x[i], y = at.y[i];
    weights[i] =
        (corner[0] * (1 - x) + corner[1] * x) * (1 - y) + (corner[2] * (1 - x) + corner[3] * x) * y;
    along_x[i] = at.weight[i] * static_cast<Real>(levels.width[i]) *
                 ((corner[1] - corner[0]) * (1 - y) + (corner[3] - corner[2]) * y);
    along_y[i] = at.weight[i] * static_cast<Real>(levels.height[i]) *
                 ((corner[2] - corner[0]) * (1 - x) + (corner[3] - corner[1]) * x);
  }
  for (int i = 0; i < levels.count; ++i) {
    const int64_t point = look + levels.first + i;
    out.weights[point] = weights[i];
    out.locations[2 * point] = along_x[i];
    out.locations[2 * point + 1] = along_y[i];
  }
}

template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void backward_heads(const SamplingShape& shape,
                                      const SamplingInputs<Value, Real>& in, const Real* gradient,
                                      const SamplingGradients<Real>& out,
                                      const std::vector<PointLevels>& chunks, int64_t begin,
                                      int64_t end) {
  const int64_t stride = shape.heads * shape.channels;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t image = i / shape.heads, head = i % shape.heads;
    const int64_t base = image * shape.tokens * stride + head * shape.channels;
    for (int64_t query = 0; query < shape.queries; ++query) {
      const int64_t look = look_index(shape, {image, query, head});
      for (const PointLevels& levels : chunks) {
        PointCorners<Real> corners;
        locate(levels, in, look * shape.points, corners);
        Real product[kPointsAtOnce][4] = {};
        for (int64_t first = 0; first < shape.channels; first += Block)
          add_gradients<Block>(levels.count, corners, in.tokens + base + first, stride,
                               gradient + look * shape.channels + first,
                               out.tokens ? out.tokens + base + first : nullptr, product);
        if (out.weights) point_gradients(levels, corners, product, out, look * shape.points);
      }
    }
  }
}

#ifdef __x86_64__
template <int Block, typename Value, typename Real>
DFINE_AVX2 void forward_items_avx2(const SamplingShape& shape,
                                   const SamplingInputs<Value, Real>& in, Real* out,
                                   const std::vector<PointLevels>& chunks, int64_t begin,
                                   int64_t end) {
  forward_items<Block>(shape, in, out, chunks, begin, end);
}

template <int Block, typename Value, typename Real>
DFINE_AVX2 void backward_heads_avx2(const SamplingShape& shape,
                                    const SamplingInputs<Value, Real>& in, const Real* gradient,
                                    const SamplingGradients<Real>& out,
                                    const std::vector<PointLevels>& chunks, int64_t begin,
                                    int64_t end) {
  backward_heads<Block>(shape, in, gradient, out, chunks, begin, end);
}
#endif

}  // namespace

template <typename Value, typename Real>
void sample_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in, Real* out,
                   int64_t begin, int64_t end) {
  const std::vector<PointLevels> chunks = levels_of(shape);
  with_block(shape.channels, [&]<int Block>() {
#ifdef __x86_64__
    if (has_avx2()) return forward_items_avx2<Block>(shape, in, out, chunks, begin, end);
#endif
    forward_items<Block>(shape, in, out, chunks, begin, end);
  });
}

template <typename Value, typename Real>
void sample_backward_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in,
                            const Real* gradient, const SamplingGradients<Real>& out, int64_t begin,
                            int64_t end) {
  const std::vector<PointLevels> chunks = levels_of(shape);
  with_block(shape.channels, [&]<int Block>() {
#ifdef __x86_64__
    if (has_avx2()) return backward_heads_avx2<Block>(shape, in, gradient, out, chunks, begin, end);
#endif
    backward_heads<Block>(shape, in, gradient, out, chunks, begin, end);
  });
}

#define DFINE_INSTANTIATE(Value, Real)                                                           \
  template void sample_on_cpu(const SamplingShape&, const SamplingInputs<Value, Real>&, Real*,   \
                              int64_t, int64_t);                                                 \
  template void sample_backward_on_cpu(const SamplingShape&, const SamplingInputs<Value, Real>&, \
                                       const Real*, const SamplingGradients<Real>&, int64_t,     \
                                       int64_t);
DFINE_INSTANTIATE(float, float)
DFINE_INSTANTIATE(double, double)
DFINE_INSTANTIATE(Bfloat16, float)
#undef DFINE_INSTANTIATE

}  // namespace dfine::inline ops
