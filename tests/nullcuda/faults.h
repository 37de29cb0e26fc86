#pragma once
// Errors and values that a test asks for.
//
//   NULLCUDA_FAIL=cudaMemcpyAsync:17:2        the 17th cudaMemcpyAsync returns error 2
//   NULLCUDA_FAIL=cudaStreamSynchronize:5+:700  the 5th and all later ones do
//   NULLCUDA_FAIL=ncclAllReduce:3:2@1         on rank 1 only; several are separated by commas
//   NULLCUDA_NAN=104:3                        the 3rd copy of 104 bytes to the host brings NaN
#include <cstddef>

namespace null {

/// The error that the `count`-th call of `function` is to return, else 0.
int fault(const char* function, long count);

/// Counts a copy of `bytes` to the host. True: its values shall be NaN, that is all bits set.
bool copy_becomes_nan(size_t bytes);

}  // namespace null
