#include "ops/norm_relu_cpu.h"

#include "ops/host_device.h"

namespace dfine::inline ops {
namespace {

/// Calls body<Count>(first channel) for blocks of channels: one cache line of floats at a time, so
/// that sums over the rows stay in registers.
template <typename Body>
DFINE_HOST_DEVICE void for_each_block(int64_t channels, Body body) {
  int64_t first = 0;
  for (; first + 16 <= channels; first += 16) body.template operator()<16>(first);
  for (; first + 4 <= channels; first += 4) body.template operator()<4>(first);
  for (; first < channels; ++first) body.template operator()<1>(first);
}

template <bool Relu, typename Real>
DFINE_HOST_DEVICE Real activated(Real z) {
  return !Relu || !(z < 0) ? z : 0;  // not a number stays so
}

template <typename Real>
DFINE_HOST_DEVICE void moments(const Real* x, int64_t rows, int64_t channels, Real* mean,
                               Real* squares) {
  for_each_block(channels, [&]<int Count>(int64_t first) DFINE_INLINE {
    Real sum[Count] = {}, square[Count] = {}, middle[Count];
    for (int64_t row = 0; row < rows; ++row)
      for (int c = 0; c < Count; ++c) sum[c] += x[row * channels + first + c];
    for (int c = 0; c < Count; ++c) middle[c] = sum[c] / static_cast<Real>(rows);
    for (int64_t row = 0; row < rows; ++row) {
      for (int c = 0; c < Count; ++c) {
        const Real deviation = x[row * channels + first + c] - middle[c];
        square[c] += deviation * deviation;
      }
    }
    for (int c = 0; c < Count; ++c) {
      mean[first + c] = middle[c];
      squares[first + c] = square[c];
    }
  });
}

template <bool Relu, typename Real>
DFINE_HOST_DEVICE void forward(const NormRelu<Real>& op, const Real* x, int64_t rows,
                               int64_t channels, Real* y) {
  for_each_block(channels, [&]<int Count>(int64_t first) DFINE_INLINE {
    const Real factor = op.factor, offset = op.offset;
    Real scale[Count], shift[Count];
    for (int c = 0; c < Count; ++c) {
      scale[c] = op.scale[first + c];
      shift[c] = op.shift[first + c];
    }
    for (int64_t row = 0; row < rows; ++row) {
      const Real* const in = x + row * channels + first;
      Real* const out = y + row * channels + first;
      for (int c = 0; c < Count; ++c)
        out[c] = activated<Relu>(in[c] * scale[c] + shift[c]) * factor + offset;
    }
  });
}

template <bool Relu, typename Real>
DFINE_HOST_DEVICE void gradient_sums(const NormRelu<Real>& op, const Real* mean, const Real* x,
                                     const Real* dy, int64_t rows, int64_t channels,
                                     const NormReluSums<Real>& sums) {
  for_each_block(channels, [&]<int Count>(int64_t first) DFINE_INLINE {
    Real factor[Count] = {}, offset[Count] = {}, sum[Count] = {}, deviation[Count] = {};
    const Real block_factor = op.factor;
    Real scale[Count], shift[Count], middle[Count];
    for (int c = 0; c < Count; ++c) {
      scale[c] = op.scale[first + c];
      shift[c] = op.shift[first + c];
      middle[c] = mean[first + c];
    }
    for (int64_t row = 0; row < rows; ++row) {
      const Real* const in = x + row * channels + first;
      const Real* const from = dy + row * channels + first;
      for (int c = 0; c < Count; ++c) {
        const Real z = in[c] * scale[c] + shift[c];
        const Real gradient = from[c] * block_factor;
        factor[c] += from[c] * activated<Relu>(z);
        offset[c] += from[c];
        const Real dz = !Relu || z > 0 ? gradient : 0;
        sum[c] += dz;
        deviation[c] += dz * (in[c] - middle[c]);
      }
    }
    for (int c = 0; c < Count; ++c) {
      sums.factor[first + c] = factor[c];
      sums.offset[first + c] = offset[c];
      sums.shift[first + c] = sum[c];
      sums.deviation[first + c] = deviation[c];
    }
  });
}

template <bool Relu, typename Real>
DFINE_HOST_DEVICE void backward(const NormRelu<Real>& op, const NormReluInputGradient<Real>& to,
                                const Real* x, const Real* dy, int64_t rows, int64_t channels,
                                Real* dx) {
  for_each_block(channels, [&]<int Count>(int64_t first) DFINE_INLINE {
    const Real block_factor = op.factor;
    Real scale[Count], shift[Count], middle[Count], mean_dz[Count], projection[Count];
    for (int c = 0; c < Count; ++c) {
      scale[c] = op.scale[first + c];
      shift[c] = op.shift[first + c];
      middle[c] = to.mean[first + c];
      mean_dz[c] = to.mean_dz[first + c];
      projection[c] = to.projection[first + c];
    }
    for (int64_t row = 0; row < rows; ++row) {
      const Real* const in = x + row * channels + first;
      const Real* const from = dy + row * channels + first;
      Real* const out = dx + row * channels + first;
      for (int c = 0; c < Count; ++c) {
        const Real z = in[c] * scale[c] + shift[c];
        const Real gradient = from[c] * block_factor;  // without a branch: it becomes a mask
        const Real dz = !Relu || z > 0 ? gradient : 0;
        out[c] = (dz - mean_dz[c] - (in[c] - middle[c]) * projection[c]) * scale[c];
      }
    }
  });
}

template <typename Real>
DFINE_HOST_DEVICE void forward(const NormRelu<Real>& op, const Real* x, int64_t rows,
                               int64_t channels, Real* y) {
  op.relu ? forward<true>(op, x, rows, channels, y) : forward<false>(op, x, rows, channels, y);
}

template <typename Real>
DFINE_HOST_DEVICE void gradient_sums(const NormRelu<Real>& op, const Real* mean, const Real* x,
                                     const Real* dy, int64_t rows, int64_t channels,
                                     const NormReluSums<Real>& sums) {
  op.relu ? gradient_sums<true>(op, mean, x, dy, rows, channels, sums)
          : gradient_sums<false>(op, mean, x, dy, rows, channels, sums);
}

template <typename Real>
DFINE_HOST_DEVICE void backward(const NormRelu<Real>& op, const NormReluInputGradient<Real>& to,
                                const Real* x, const Real* dy, int64_t rows, int64_t channels,
                                Real* dx) {
  op.relu ? backward<true>(op, to, x, dy, rows, channels, dx)
          : backward<false>(op, to, x, dy, rows, channels, dx);
}

// Each pass for AVX2 where the processor has it, else for any.
#ifdef __x86_64__
template <typename... Arguments>
DFINE_AVX2 void moments_avx2(const Arguments&... arguments) {
  moments(arguments...);
}
template <typename... Arguments>
DFINE_AVX2 void forward_avx2(const Arguments&... arguments) {
  forward(arguments...);
}
template <typename... Arguments>
DFINE_AVX2 void gradient_sums_avx2(const Arguments&... arguments) {
  gradient_sums(arguments...);
}
template <typename... Arguments>
DFINE_AVX2 void backward_avx2(const Arguments&... arguments) {
  backward(arguments...);
}
#define DFINE_RUN(pass, ...) has_avx2() ? pass##_avx2(__VA_ARGS__) : pass(__VA_ARGS__)
#else
#define DFINE_RUN(pass, ...) pass(__VA_ARGS__)
#endif

}  // namespace

template <typename Real>
void moments_of_rows(const Real* x, int64_t rows, int64_t channels, Real* mean, Real* squares) {
  DFINE_RUN(moments, x, rows, channels, mean, squares);
}

template <typename Real>
void norm_relu_rows(const NormRelu<Real>& op, const Real* x, int64_t rows, int64_t channels,
                    Real* y) {
  DFINE_RUN(forward, op, x, rows, channels, y);
}

template <typename Real>
void norm_relu_sums_of_rows(const NormRelu<Real>& op, const Real* mean, const Real* x,
                            const Real* dy, int64_t rows, int64_t channels,
                            const NormReluSums<Real>& sums) {
  DFINE_RUN(gradient_sums, op, mean, x, dy, rows, channels, sums);
}

template <typename Real>
void norm_relu_backward_rows(const NormRelu<Real>& op, const NormReluInputGradient<Real>& to,
                             const Real* x, const Real* dy, int64_t rows, int64_t channels,
                             Real* dx) {
  DFINE_RUN(backward, op, to, x, dy, rows, channels, dx);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses
#define DFINE_INSTANTIATE(Real)                                                                    \
  template void moments_of_rows(const Real*, int64_t, int64_t, Real*, Real*);                      \
  template void norm_relu_rows(const NormRelu<Real>&, const Real*, int64_t, int64_t, Real*);       \
  template void norm_relu_sums_of_rows(const NormRelu<Real>&, const Real*, const Real*,            \
                                       const Real*, int64_t, int64_t, const NormReluSums<Real>&);  \
  template void norm_relu_backward_rows(const NormRelu<Real>&, const NormReluInputGradient<Real>&, \
                                        const Real*, const Real*, int64_t, int64_t, Real*);
// NOLINTEND(bugprone-macro-parentheses)
DFINE_INSTANTIATE(float)
DFINE_INSTANTIATE(double)
#undef DFINE_INSTANTIATE
#undef DFINE_RUN

}  // namespace dfine::inline ops
