#pragma once
// What lets one source be compiled by g++ for the CPU and by nvcc for the GPU.
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define DFINE_HOST_DEVICE __host__ __device__ __forceinline__
#else
// Inlined always, so that a function compiled for AVX2 has its callees compiled for AVX2 too.
#define DFINE_HOST_DEVICE inline __attribute__((always_inline))
#endif
/// For lambdas that are part of such a function.
#define DFINE_INLINE __attribute__((always_inline))

namespace dfine::inline ops {

/// The bits of a bfloat16: the upper half of a float's. Laid out as c10::BFloat16.
struct Bfloat16 {
  uint16_t bits;
};

template <typename Real>
DFINE_HOST_DEVICE Real to_real(Real x) {
  return x;
}

template <typename Real>
DFINE_HOST_DEVICE Real to_real(Bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return static_cast<Real>(value);
}

#if defined(__x86_64__) && !defined(__CUDACC__)
#define DFINE_AVX2 __attribute__((target("avx2,fma")))
inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

}  // namespace dfine::inline ops
