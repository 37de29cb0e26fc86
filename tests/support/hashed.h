#pragma once
// Numbers that any language makes alike: a hash of (seed, index), exact in float32.
// tests/golden/hashed.py is its twin.
#include <ATen/ATen.h>

#include <cstdint>
#include <string_view>

#include "tensor.h"

namespace dfine {

/// double in [0, 1), multiples of 2^-24: element i is the high bits of splitmix64(seed * 2^32 + i).
inline Tensor hashed_uniform(uint64_t seed, at::IntArrayRef shape) {
  Tensor result = at::empty(shape, at::kDouble);
  auto* out = result.mutable_data_ptr<double>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    uint64_t x = (seed << 32) + static_cast<uint64_t>(i) + 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    x ^= x >> 31;
    out[i] = static_cast<double>(x >> 40) * 0x1p-24;
  }
  return result;
}

/// double in [-1, 1).
inline Tensor hashed_signed(uint64_t seed, at::IntArrayRef shape) {
  return hashed_uniform(seed, shape) * 2 - 1;
}

/// 32-bit FNV-1a hash.
inline uint64_t name_seed(std::string_view name) {
  uint32_t h = 0x811C9DC5U;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x01000193U;
  return h;
}

}  // namespace dfine
