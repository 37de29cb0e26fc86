#include "ops/deformable_sampling_cpu.h"

namespace dfine::inline ops {
namespace {

struct PlainAdd {
  template <typename Real>
  DFINE_HOST_DEVICE void operator()(Real* sum, Real x) const {
    *sum += x;
  }
};

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

template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void forward_items(const SamplingShape& shape,
                                     const SamplingInputs<Value, Real>& in, Real* out,
                                     int64_t begin, int64_t end) {
  const int64_t blocks = shape.channels / Block;
  for (int64_t i = begin * blocks; i < end * blocks; ++i) forward_thread<Block>(shape, in, i, out);
}

template <int Block, typename Value, typename Real>
DFINE_HOST_DEVICE void backward_heads(const SamplingShape& shape,
                                      const SamplingInputs<Value, Real>& in, const Real* gradient,
                                      const SamplingGradients<Real>& out, int64_t begin,
                                      int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t query = 0; query < shape.queries; ++query) {
      const SamplingItem item{i / shape.heads, query, i % shape.heads};
      const Real* const mine = gradient + look_index(shape, item) * shape.channels;
      int64_t point = 0;
      for (int level = 0; level < shape.num_levels; ++level) {
        for (; point < shape.levels[level].end_point; ++point)
          backward_point<Block>(shape, in, out, item, level, point, mine, PlainAdd());
      }
    }
  }
}

#ifdef __x86_64__
template <int Block, typename Value, typename Real>
DFINE_AVX2 void forward_items_avx2(const SamplingShape& shape,
                                   const SamplingInputs<Value, Real>& in, Real* out, int64_t begin,
                                   int64_t end) {
  forward_items<Block>(shape, in, out, begin, end);
}

template <int Block, typename Value, typename Real>
DFINE_AVX2 void backward_heads_avx2(const SamplingShape& shape,
                                    const SamplingInputs<Value, Real>& in, const Real* gradient,
                                    const SamplingGradients<Real>& out, int64_t begin,
                                    int64_t end) {
  backward_heads<Block>(shape, in, gradient, out, begin, end);
}
#endif

}  // namespace

template <typename Value, typename Real>
void sample_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in, Real* out,
                   int64_t begin, int64_t end) {
  with_block(shape.channels, [&]<int Block>() {
#ifdef __x86_64__
    if (has_avx2()) return forward_items_avx2<Block>(shape, in, out, begin, end);
#endif
    forward_items<Block>(shape, in, out, begin, end);
  });
}

template <typename Value, typename Real>
void sample_backward_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in,
                            const Real* gradient, const SamplingGradients<Real>& out, int64_t begin,
                            int64_t end) {
  with_block(shape.channels, [&]<int Block>() {
#ifdef __x86_64__
    if (has_avx2()) return backward_heads_avx2<Block>(shape, in, gradient, out, begin, end);
#endif
    backward_heads<Block>(shape, in, gradient, out, begin, end);
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
