#pragma once
// The launches of the GPU. Nothing waits; an error of the launch is cudaGetLastError()'s.
#include <cuda_runtime_api.h>

#include "ops/deformable_sampling_kernel.h"

namespace dfine::inline ops {

// Real: float (Value: float or Bfloat16) or double (Value: double).

/// All pointers are the device's. out: [batch, queries, heads, channels].
template <typename Value, typename Real>
void sample_on_cuda(const SamplingShape& shape, const SamplingInputs<Value, Real>& in, Real* out,
                    cudaStream_t stream);

/// The gradient of a token comes from many threads, in an order that changes from run to run: sums
/// differ in their last bits.
template <typename Value, typename Real>
void sample_backward_on_cuda(const SamplingShape& shape, const SamplingInputs<Value, Real>& in,
                             const Real* gradient, const SamplingGradients<Real>& out,
                             cudaStream_t stream);

}  // namespace dfine::inline ops
