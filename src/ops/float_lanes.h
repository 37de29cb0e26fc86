#pragma once
// Eight floats in a vector, in GCC's and Clang's vector extension: AVX2 in functions compiled for
// it, two halves elsewhere.
#include <cstdint>
#include <cstring>

#include "ops/host_device.h"

namespace dfine::inline ops {

inline constexpr int kLanes = 8;
using FloatLanes = float __attribute__((vector_size(32)));

DFINE_HOST_DEVICE void load(const float* from, FloatLanes& to) {
  memcpy(&to, from, sizeof to);
}

DFINE_HOST_DEVICE void load(const Bfloat16* from, FloatLanes& to) {
  uint16_t __attribute__((vector_size(16))) halves;
  memcpy(&halves, from, sizeof halves);
  const auto bits = __builtin_convertvector(halves, uint32_t __attribute__((vector_size(32))))
                    << 16;
  memcpy(&to, &bits, sizeof to);
}

/// to[k] += x[k]
DFINE_HOST_DEVICE void add(const FloatLanes& x, float* to) {
  FloatLanes sum;
  memcpy(&sum, to, sizeof sum);
  sum += x;
  memcpy(to, &sum, sizeof sum);
}

/// The sums of the lanes of each of four vectors.
DFINE_HOST_DEVICE void sums_of(const FloatLanes* x, float* sums) {
  const FloatLanes first = __builtin_shufflevector(x[0], x[1], 0, 8, 2, 10, 4, 12, 6, 14) +
                           __builtin_shufflevector(x[0], x[1], 1, 9, 3, 11, 5, 13, 7, 15);
  const FloatLanes last = __builtin_shufflevector(x[2], x[3], 0, 8, 2, 10, 4, 12, 6, 14) +
                          __builtin_shufflevector(x[2], x[3], 1, 9, 3, 11, 5, 13, 7, 15);
  const FloatLanes all = __builtin_shufflevector(first, last, 0, 1, 8, 9, 4, 5, 12, 13) +
                         __builtin_shufflevector(first, last, 2, 3, 10, 11, 6, 7, 14, 15);
  for (int k = 0; k < 4; ++k) sums[k] = all[k] + all[k + 4];
}

}  // namespace dfine::inline ops
