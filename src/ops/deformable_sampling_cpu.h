#pragma once
#include <cstdint>

#include "ops/deformable_sampling_kernel.h"

namespace dfine::inline ops {

// Real: float (Value: float or Bfloat16) or double (Value: double).

/// Computes the items [begin, end) of batch * queries * heads. out: [batch, queries, heads,
/// channels].
template <typename Value, typename Real>
void sample_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in, Real* out,
                   int64_t begin, int64_t end);

/// Computes what all queries see through the heads [begin, end) of batch * heads. Heads share no
/// gradient, so that threads can take one each, and sums do not depend on the number of threads.
/// gradient: as `out` above.
template <typename Value, typename Real>
void sample_backward_on_cpu(const SamplingShape& shape, const SamplingInputs<Value, Real>& in,
                            const Real* gradient, const SamplingGradients<Real>& out, int64_t begin,
                            int64_t end);

}  // namespace dfine::inline ops
