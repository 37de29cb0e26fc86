#include "image/unit_floats.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#define DFINE_AVX2 __attribute__((target("avx2,fma")))
#define DFINE_AVX512 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")))
#endif

namespace dfine::inline image {
namespace {

/// Pixels [from, pixels). x / 255 has 256 values.
void portable_from(size_t from, const uint8_t* planes, size_t pixels, float* out) {
  static const std::array<float, 256> share = [] {
    std::array<float, 256> values{};
    for (size_t x = 0; x < values.size(); ++x) values[x] = static_cast<float>(x) / 255.0F;
    return values;
  }();
  for (size_t i = from; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c) out[3 * i + c] = share[planes[c * pixels + i]];
  }
}

void portable(const uint8_t* planes, size_t pixels, float* out) {
  portable_from(0, planes, pixels, out);
}

#if defined(__x86_64__)

// Their sum is closer to 1 / 255 than one float can be. The sum of a byte's products with both,
// rounded once at the end, is the byte / 255: a test compares all 256.
constexpr float kHigh = 1.0F / 255;
constexpr auto kLow = static_cast<float>(1.0 / 255 - static_cast<double>(kHigh));

DFINE_AVX2 inline void store_8_avx2(__m128i bytes, float* out) {
  const __m256 x = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  _mm256_storeu_ps(
      out, _mm256_fmadd_ps(x, _mm256_set1_ps(kHigh), _mm256_mul_ps(x, _mm256_set1_ps(kLow))));
}

/// Where byte i of the `part`th 16 of 48 interleaved ones lies in the plane of `channel`.
DFINE_AVX2 inline __m128i interleave_mask(int channel, int part) {
  alignas(16) std::array<int8_t, 16> mask;
  for (int i = 0; i < 16; ++i) {
    const int at = 16 * part + i;
    mask[static_cast<size_t>(i)] = static_cast<int8_t>(at % 3 == channel ? at / 3 : -1);
  }
  return _mm_load_si128(reinterpret_cast<const __m128i*>(mask.data()));
}

DFINE_AVX2 void avx2(const uint8_t* planes, size_t pixels, float* out) {
  constexpr size_t kBlock = 16;
  __m128i masks[3][3];  // [part][channel]
  for (int part = 0; part < 3; ++part) {
    for (int c = 0; c < 3; ++c) masks[part][c] = interleave_mask(c, part);
  }
  size_t i = 0;
  for (; i + kBlock <= pixels; i += kBlock) {
    const auto* const at = planes + i;
    const __m128i red = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)),
                  green = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + pixels)),
                  blue = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 2 * pixels));
    for (size_t part = 0; part < 3; ++part) {
      const __m128i bytes = _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(red, masks[part][0]),
                                                      _mm_shuffle_epi8(green, masks[part][1])),
                                         _mm_shuffle_epi8(blue, masks[part][2]));
      store_8_avx2(bytes, out + 3 * i + 16 * part);
      store_8_avx2(_mm_srli_si128(bytes, 8), out + 3 * i + 16 * part + 8);
    }
  }
  portable_from(i, planes, pixels, out);
}

/// Where kStream the line is written past the caches, which spares reading it first: a batch of
/// floats is larger than they are.
template <bool kStream>
DFINE_AVX512 inline void store_16_avx512(__m128i bytes, float* out) {
  const __m512 x = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  const __m512 share =
      _mm512_fmadd_ps(x, _mm512_set1_ps(kHigh), _mm512_mul_ps(x, _mm512_set1_ps(kLow)));
  if constexpr (kStream) {
    _mm512_stream_ps(out, share);
  } else {
    _mm512_storeu_ps(out, share);
  }
}

template <bool kStream>
DFINE_AVX512 void blocks_avx512(const uint8_t* planes, size_t pixels, float* out) {
  constexpr size_t kBlock = 16;
  alignas(64) std::array<uint8_t, 64> from{};  // the 48 interleaved bytes among three times 16
  for (size_t i = 0; i < 48; ++i) from[i] = static_cast<uint8_t>(i % 3 * 16 + i / 3);
  const __m512i order = _mm512_load_si512(from.data());
  size_t i = 0;
  for (; i + kBlock <= pixels; i += kBlock) {
    const auto* const at = planes + i;
    __m512i bytes = _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    bytes = _mm512_inserti32x4(bytes,
                               _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + pixels)), 1);
    bytes = _mm512_inserti32x4(
        bytes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 2 * pixels)), 2);
    bytes = _mm512_permutexvar_epi8(order, bytes);
    float* const to = out + 3 * i;
    store_16_avx512<kStream>(_mm512_castsi512_si128(bytes), to);
    store_16_avx512<kStream>(_mm512_extracti32x4_epi32(bytes, 1), to + 16);
    store_16_avx512<kStream>(_mm512_extracti32x4_epi32(bytes, 2), to + 32);
  }
  if constexpr (kStream) _mm_sfence();  // before another thread is told that they are there
  portable_from(i, planes, pixels, out);
}

void avx512(const uint8_t* planes, size_t pixels, float* out) {
  if (reinterpret_cast<uintptr_t>(out) % 64 == 0) return blocks_avx512<true>(planes, pixels, out);
  blocks_avx512<false>(planes, pixels, out);
}

#endif

}  // namespace

std::vector<ToUnitFloats> usable_unit_float_loops() {
  std::vector<ToUnitFloats> usable{portable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    usable.push_back(avx2);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi"))
      usable.push_back(avx512);
  }
#endif
  return usable;
}

void to_unit_floats(const uint8_t* planes, size_t pixels, float* out) {
  static const ToUnitFloats best = usable_unit_float_loops().back();
  best(planes, pixels, out);
}

}  // namespace dfine::inline image
