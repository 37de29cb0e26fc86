#include "ops/deformable_sampling_cuda.h"

namespace dfine::inline ops {
namespace {

constexpr int kThreads = 256;

struct AtomicAdd {
  template <typename Real>
  __device__ void operator()(Real* sum, Real x) const {
    atomicAdd(sum, x);
  }
};

__device__ int64_t this_thread() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

template <int Block, typename Value, typename Real>
__global__ void forward_kernel(SamplingShape shape, SamplingInputs<Value, Real> in, Real* out) {
  forward_thread<Block>(shape, in, this_thread(), out);
}

template <int Block, typename Value, typename Real>
__global__ void backward_kernel(SamplingShape shape, SamplingInputs<Value, Real> in,
                                const Real* gradient, SamplingGradients<Real> out) {
  backward_thread<Block>(shape, in, gradient, out, this_thread(), AtomicAdd());
}

unsigned blocks_for(int64_t threads) {
  return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

}  // namespace

template <typename Value, typename Real>
void sample_on_cuda(const SamplingShape& shape, const SamplingInputs<Value, Real>& in, Real* out,
                    cudaStream_t stream) {
  if (shape.channels % 4 == 0) {
    const unsigned blocks = blocks_for(forward_threads<4>(shape));
    if (blocks) forward_kernel<4><<<blocks, kThreads, 0, stream>>>(shape, in, out);
  } else {
    const unsigned blocks = blocks_for(forward_threads<1>(shape));
    if (blocks) forward_kernel<1><<<blocks, kThreads, 0, stream>>>(shape, in, out);
  }
}

template <typename Value, typename Real>
void sample_backward_on_cuda(const SamplingShape& shape, const SamplingInputs<Value, Real>& in,
                             const Real* gradient, const SamplingGradients<Real>& out,
                             cudaStream_t stream) {
  const unsigned blocks = blocks_for(backward_threads(shape));
  if (!blocks) return;
  if (shape.channels % 4 == 0) {
    backward_kernel<4><<<blocks, kThreads, 0, stream>>>(shape, in, gradient, out);
  } else {
    backward_kernel<1><<<blocks, kThreads, 0, stream>>>(shape, in, gradient, out);
  }
}

#define DFINE_INSTANTIATE(Value, Real)                                                            \
  template void sample_on_cuda(const SamplingShape&, const SamplingInputs<Value, Real>&, Real*,   \
                               cudaStream_t);                                                     \
  template void sample_backward_on_cuda(const SamplingShape&, const SamplingInputs<Value, Real>&, \
                                        const Real*, const SamplingGradients<Real>&,              \
                                        cudaStream_t);
DFINE_INSTANTIATE(float, float)
DFINE_INSTANTIATE(double, double)
DFINE_INSTANTIATE(Bfloat16, float)
#undef DFINE_INSTANTIATE

}  // namespace dfine::inline ops
