#include "image/photometric_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#if defined(__x86_64__)
#include <immintrin.h>
#define DFINE_AVX2 __attribute__((target("avx2,fma")))
#define DFINE_AVX512 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi2")))
#endif

namespace dfine::inline image {
namespace {

constexpr float kRed = 0.2989F, kGreen = 0.587F, kBlue = 0.114F;  // torchvision's weights of grey
constexpr float kToBytes =
    (256.0F - 1e-3F) /
    255.0F;  // torchvision's way from [0, 1] to whole numbers, with our values in [0, 255]

struct Pixel {
  float red, green, blue;
};

/// Fused where ATen's vectorised `add` is: many results are whole numbers but for rounding.
float blend(float value, float base, float gain) {
  return std::floor(std::min(std::max(std::fma(base, 1 - gain, value * gain), 0.0F), 255.0F));
}

Pixel blend(const Pixel& p, float base, float gain) {
  return {blend(p.red, base, gain), blend(p.green, base, gain), blend(p.blue, base, gain)};
}

float grey(const Pixel& p) {
  return std::floor(std::fma(p.blue, kBlue, std::fma(p.green, kGreen, p.red * kRed)));
}

/// A channel as a function of the place on the colour circle, in sixths of a turn from red. It lies
/// at `weight` of the way from the least channel to the greatest. The two are scaled by kToBytes.
float channel_at(float weight, float least, float range) {
  return std::floor(std::fma(range, std::min(std::max(weight, 0.0F), 1.0F), least));
}

Pixel turn(const Pixel& p, float sixths) {
  const float greatest = std::max(p.red, std::max(p.green, p.blue));
  float least = std::min(p.red, std::min(p.green, p.blue)), range = greatest - least;
  const float inverse = 1.0F / std::max(range, 1.0F);
  float place = std::fma(p.red - p.green, inverse, 4.0F);
  if (greatest == p.green) place = std::fma(p.blue - p.red, inverse, 2.0F);
  if (greatest == p.red) place = (p.green - p.blue) * inverse;
  place += sixths;
  place = std::fma(-6.0F, std::floor(place * (1.0F / 6)), place);
  least *= kToBytes;
  range *= kToBytes;
  return {channel_at(std::abs(place - 3) - 1, least, range),
          channel_at(2 - std::abs(place - 2), least, range),
          channel_at(2 - std::abs(place - 4), least, range)};
}

uint64_t apply_row_portable(const ColourPass& pass, uint8_t* rgb, size_t pixels) {
  uint64_t sum = 0;
  for (size_t i = 0; i < pixels; ++i, rgb += 3) {
    Pixel p{static_cast<float>(rgb[0]), static_cast<float>(rgb[1]), static_cast<float>(rgb[2])};
    p = blend(p, pass.base, pass.gain);
    if (pass.saturation != 1) p = blend(p, grey(p), pass.saturation);
    if (pass.hue != 0) p = turn(p, 6 * pass.hue);
    sum += static_cast<uint64_t>(grey(p));
    rgb[0] = static_cast<uint8_t>(p.red);
    rgb[1] = static_cast<uint8_t>(p.green);
    rgb[2] = static_cast<uint8_t>(p.blue);
  }
  return sum;
}

uint64_t apply_portable(const ColourPass& pass, const PixelRows& pixels) {
  uint64_t sum = 0;
  for (size_t y = 0; y < pixels.rows; ++y)
    sum += apply_row_portable(pass, pixels.rgb + y * pixels.stride, pixels.width);
  return sum;
}

#if defined(__x86_64__)

struct Pixels8 {
  __m256 red, green, blue;
};

DFINE_AVX2 inline __m256 clamp_avx2(__m256 value, float most) {
  return _mm256_min_ps(_mm256_max_ps(value, _mm256_setzero_ps()), _mm256_set1_ps(most));
}

DFINE_AVX2 inline __m256 blend_avx2(__m256 value, __m256 base, __m256 gain, __m256 rest) {
  return clamp_avx2(_mm256_fmadd_ps(base, rest, _mm256_mul_ps(value, gain)), 255);
}

DFINE_AVX2 inline Pixels8 blend_avx2(const Pixels8& p, __m256 base, __m256 gain, __m256 rest) {
  return {blend_avx2(p.red, base, gain, rest), blend_avx2(p.green, base, gain, rest),
          blend_avx2(p.blue, base, gain, rest)};
}

DFINE_AVX2 inline Pixels8 floor_avx2(const Pixels8& p) {
  return {_mm256_floor_ps(p.red), _mm256_floor_ps(p.green), _mm256_floor_ps(p.blue)};
}

DFINE_AVX2 inline __m256 grey_avx2(const Pixels8& p) {
  const __m256 warm =
      _mm256_fmadd_ps(p.green, _mm256_set1_ps(kGreen), _mm256_mul_ps(p.red, _mm256_set1_ps(kRed)));
  return _mm256_floor_ps(_mm256_fmadd_ps(p.blue, _mm256_set1_ps(kBlue), warm));
}

DFINE_AVX2 inline __m256 channel_at_avx2(__m256 weight, __m256 least, __m256 range) {
  return _mm256_fmadd_ps(range, clamp_avx2(weight, 1), least);
}

DFINE_AVX2 inline __m256 distance_avx2(__m256 place, float from) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), _mm256_sub_ps(place, _mm256_set1_ps(from)));
}

DFINE_AVX2 inline Pixels8 turn_avx2(const Pixels8& p, __m256 sixths) {
  const __m256 greatest = _mm256_max_ps(p.red, _mm256_max_ps(p.green, p.blue));
  __m256 least = _mm256_min_ps(p.red, _mm256_min_ps(p.green, p.blue)),
         range = _mm256_sub_ps(greatest, least);
  const __m256 one = _mm256_set1_ps(1), two = _mm256_set1_ps(2);
  const __m256 inverse = _mm256_div_ps(one, _mm256_max_ps(range, one));
  const __m256 from_red = _mm256_mul_ps(_mm256_sub_ps(p.green, p.blue), inverse);
  const __m256 from_green = _mm256_fmadd_ps(_mm256_sub_ps(p.blue, p.red), inverse, two);
  __m256 place = _mm256_fmadd_ps(_mm256_sub_ps(p.red, p.green), inverse, _mm256_set1_ps(4));
  place = _mm256_blendv_ps(place, from_green, _mm256_cmp_ps(greatest, p.green, _CMP_EQ_OQ));
  place = _mm256_blendv_ps(place, from_red, _mm256_cmp_ps(greatest, p.red, _CMP_EQ_OQ));
  place = _mm256_add_ps(place, sixths);
  place = _mm256_fmadd_ps(_mm256_set1_ps(-6),
                          _mm256_floor_ps(_mm256_mul_ps(place, _mm256_set1_ps(1.0F / 6))), place);
  least = _mm256_mul_ps(least, _mm256_set1_ps(kToBytes));
  range = _mm256_mul_ps(range, _mm256_set1_ps(kToBytes));
  return {channel_at_avx2(_mm256_sub_ps(distance_avx2(place, 3), one), least, range),
          channel_at_avx2(_mm256_sub_ps(two, distance_avx2(place, 2)), least, range),
          channel_at_avx2(_mm256_sub_ps(two, distance_avx2(place, 4)), least, range)};
}

/// Every third byte of both halves' first twelve, from `channel` on, as eight floats.
DFINE_AVX2 inline __m256 channel_avx2(__m256i rgb, int channel) {
  const auto at = static_cast<char>(channel);
  const __m256i spread = _mm256_setr_epi8(
      at, -1, -1, -1, static_cast<char>(at + 3), -1, -1, -1, static_cast<char>(at + 6), -1, -1, -1,
      static_cast<char>(at + 9), -1, -1, -1, at, -1, -1, -1, static_cast<char>(at + 3), -1, -1, -1,
      static_cast<char>(at + 6), -1, -1, -1, static_cast<char>(at + 9), -1, -1, -1);
  return _mm256_cvtepi32_ps(_mm256_shuffle_epi8(rgb, spread));
}

/// Eight pixels as 24 bytes; 28 can be read.
DFINE_AVX2 inline Pixels8 load_avx2(const uint8_t* rgb) {
  const __m256i bytes = _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb + 12)), 1);
  return {channel_avx2(bytes, 0), channel_avx2(bytes, 1), channel_avx2(bytes, 2)};
}

DFINE_AVX2 inline void store_avx2(const Pixels8& p, uint8_t* rgb) {
  const __m256i red = _mm256_cvttps_epi32(p.red), green = _mm256_cvttps_epi32(p.green),
                blue = _mm256_cvttps_epi32(p.blue);
  const __m256i words = _mm256_or_si256(
      red, _mm256_or_si256(_mm256_slli_epi32(green, 8), _mm256_slli_epi32(blue, 16)));
  const __m256i drop_fourth =
      _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,  //
                       0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m256i bytes = _mm256_shuffle_epi8(words, drop_fourth);
  const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb), low);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(rgb + 12), high);
  const int32_t rest = _mm_extract_epi32(high, 2);
  std::memcpy(rgb + 20, &rest, sizeof rest);
}

/// A pass in registers.
struct ColourPass8 {
  __m256 gain, rest, base, saturation, greyness, sixths;
};

/// Which parts of a pass there are; the sum too.
struct Parts {
  bool blends, saturates, turns, sums;
};

/// One block of pixels; `greys` takes their new greys. What comes last is cut to whole numbers when
/// it is stored.
template <Parts kParts>
DFINE_AVX2 inline void apply_block_avx2(const ColourPass8& pass, uint8_t* rgb, __m256i& greys) {
  Pixels8 p = load_avx2(rgb);
  if constexpr (kParts.blends) p = blend_avx2(p, pass.base, pass.gain, pass.rest);
  if constexpr (kParts.blends && (kParts.saturates || kParts.turns || kParts.sums))
    p = floor_avx2(p);
  if constexpr (kParts.saturates) p = blend_avx2(p, grey_avx2(p), pass.saturation, pass.greyness);
  if constexpr (kParts.saturates && (kParts.turns || kParts.sums)) p = floor_avx2(p);
  if constexpr (kParts.turns) p = turn_avx2(p, pass.sixths);
  if constexpr (kParts.turns && kParts.sums) p = floor_avx2(p);
  if constexpr (kParts.sums) greys = _mm256_cvttps_epi32(grey_avx2(p));
  if constexpr (kParts.blends || kParts.saturates || kParts.turns) store_avx2(p, rgb);
}

template <Parts kParts>
DFINE_AVX2 uint64_t apply_row_avx2(const ColourPass& given, uint8_t* rgb, size_t pixels) {
  constexpr size_t kBlock = 8;
  const ColourPass8 pass{_mm256_set1_ps(given.gain),           _mm256_set1_ps(1 - given.gain),
                         _mm256_set1_ps(given.base),           _mm256_set1_ps(given.saturation),
                         _mm256_set1_ps(1 - given.saturation), _mm256_set1_ps(6 * given.hue)};
  __m256i sums = _mm256_setzero_si256(), greys = sums;
  size_t i = 0;
  for (; i + kBlock + 2 <= pixels;
       i += kBlock, rgb += 3 * kBlock) {  // two pixels more hold what a load reads too much
    apply_block_avx2<kParts>(pass, rgb, greys);
    sums = _mm256_add_epi32(sums, greys);
  }
  alignas(32) uint32_t lanes[kBlock];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sums);
  uint64_t sum = std::accumulate(lanes, lanes + kBlock, uint64_t{0});
  while (i < pixels) {
    uint8_t padded[3 * (kBlock + 2)] = {};
    const size_t left = std::min(kBlock, pixels - i);
    std::memcpy(padded, rgb, 3 * left);
    apply_block_avx2<kParts>(pass, padded, greys);
    std::memcpy(rgb, padded, 3 * left);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), greys);
    sum = std::accumulate(lanes, lanes + left, sum);
    i += left;
    rgb += 3 * left;
  }
  return sum;
}

template <Parts kParts>
uint64_t apply_avx2(const ColourPass& pass, const PixelRows& pixels) {
  uint64_t sum = 0;
  for (size_t y = 0; y < pixels.rows; ++y)
    sum += apply_row_avx2<kParts>(pass, pixels.rgb + y * pixels.stride, pixels.width);
  return sum;
}

struct Pixels16 {
  __m512 red, green, blue;
};

/// A pass in registers.
struct ColourPass16 {
  __m512i table[4];  // of the 256 values after gain and base
  __m512 saturation, greyness, sixths;
};

DFINE_AVX512 inline __m512 floor_avx512(__m512 value) {
  return _mm512_roundscale_ps(value, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

DFINE_AVX512 inline __m512 clamp_avx512(__m512 value, float most) {
  return _mm512_min_ps(_mm512_max_ps(value, _mm512_setzero_ps()), _mm512_set1_ps(most));
}

DFINE_AVX512 inline __m512 blend_avx512(__m512 value, __m512 base, __m512 gain, __m512 rest) {
  return clamp_avx512(_mm512_fmadd_ps(base, rest, _mm512_mul_ps(value, gain)), 255);
}

DFINE_AVX512 inline __m512 grey_avx512(const Pixels16& p) {
  const __m512 warm =
      _mm512_fmadd_ps(p.green, _mm512_set1_ps(kGreen), _mm512_mul_ps(p.red, _mm512_set1_ps(kRed)));
  return floor_avx512(_mm512_fmadd_ps(p.blue, _mm512_set1_ps(kBlue), warm));
}

DFINE_AVX512 inline __m512 channel_at_avx512(__m512 weight, __m512 least, __m512 range) {
  return _mm512_fmadd_ps(range, clamp_avx512(weight, 1), least);
}

DFINE_AVX512 inline __m512 distance_avx512(__m512 place, float from) {
  return _mm512_abs_ps(_mm512_sub_ps(place, _mm512_set1_ps(from)));
}

DFINE_AVX512 inline Pixels16 turn_avx512(const Pixels16& p, __m512 sixths) {
  const __m512 greatest = _mm512_max_ps(p.red, _mm512_max_ps(p.green, p.blue));
  __m512 least = _mm512_min_ps(p.red, _mm512_min_ps(p.green, p.blue)),
         range = _mm512_sub_ps(greatest, least);
  const __m512 one = _mm512_set1_ps(1), two = _mm512_set1_ps(2);
  const __m512 inverse = _mm512_div_ps(one, _mm512_max_ps(range, one));
  __m512 place = _mm512_fmadd_ps(_mm512_sub_ps(p.red, p.green), inverse, _mm512_set1_ps(4));
  place = _mm512_mask_mov_ps(place, _mm512_cmp_ps_mask(greatest, p.green, _CMP_EQ_OQ),
                             _mm512_fmadd_ps(_mm512_sub_ps(p.blue, p.red), inverse, two));
  place = _mm512_mask_mov_ps(place, _mm512_cmp_ps_mask(greatest, p.red, _CMP_EQ_OQ),
                             _mm512_mul_ps(_mm512_sub_ps(p.green, p.blue), inverse));
  place = _mm512_add_ps(place, sixths);
  place = _mm512_fmadd_ps(_mm512_set1_ps(-6),
                          floor_avx512(_mm512_mul_ps(place, _mm512_set1_ps(1.0F / 6))), place);
  least = _mm512_mul_ps(least, _mm512_set1_ps(kToBytes));
  range = _mm512_mul_ps(range, _mm512_set1_ps(kToBytes));
  return {channel_at_avx512(_mm512_sub_ps(distance_avx512(place, 3), one), least, range),
          channel_at_avx512(_mm512_sub_ps(two, distance_avx512(place, 2)), least, range),
          channel_at_avx512(_mm512_sub_ps(two, distance_avx512(place, 4)), least, range)};
}

/// table[byte] of each byte.
DFINE_AVX512 inline __m512i look_up_avx512(const __m512i (&table)[4], __m512i bytes) {
  const __m512i low = _mm512_permutex2var_epi8(table[0], bytes, table[1]),
                high = _mm512_permutex2var_epi8(table[2], bytes, table[3]);
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(bytes), high);
}

/// The lowest `n` of 64 bits.
inline uint64_t low_bits(size_t n) {
  return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
}

/// Byte 4 i: where the first channel of pixel i lies among RGB pixels.
DFINE_AVX512 inline __m512i spread_avx512() {
  const __m512i pixel =
      _mm512_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45);
  return pixel;
}

DFINE_AVX512 inline __m512 channel_avx512(__m512i rgb, int channel) {
  const __m512i from = _mm512_add_epi32(spread_avx512(), _mm512_set1_epi32(channel));
  return _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi8(0x1111111111111111, from, rgb));
}

/// Cuts to whole numbers and packs to RGB pixels, in the lower 48 bytes.
DFINE_AVX512 inline __m512i pack_avx512(const Pixels16& p) {
  const __m512i red = _mm512_cvttps_epi32(p.red), green = _mm512_cvttps_epi32(p.green),
                blue = _mm512_cvttps_epi32(p.blue);
  const __m512i words = _mm512_or_si512(
      red, _mm512_or_si512(_mm512_slli_epi32(green, 8), _mm512_slli_epi32(blue, 16)));
  alignas(64) static constexpr std::array<uint8_t, 64> kDropFourth = [] {
    std::array<uint8_t, 64> from{};
    for (size_t i = 0; i < 48; ++i) from[i] = static_cast<uint8_t>(i / 3 * 4 + i % 3);
    return from;
  }();
  return _mm512_permutexvar_epi8(_mm512_load_si512(kDropFourth.data()), words);
}

/// Of one block of 16 pixels: the new bytes, and in `greys` the new greys.
template <Parts kParts>
DFINE_AVX512 inline __m512i apply_block_avx512(const ColourPass16& pass, __m512i bytes,
                                               __m512i& greys) {
  if constexpr (kParts.blends) bytes = look_up_avx512(pass.table, bytes);
  if constexpr (!kParts.saturates && !kParts.turns && !kParts.sums) return bytes;
  Pixels16 p{channel_avx512(bytes, 0), channel_avx512(bytes, 1), channel_avx512(bytes, 2)};
  if constexpr (kParts.saturates) {
    const __m512 grey = grey_avx512(p);
    p = {blend_avx512(p.red, grey, pass.saturation, pass.greyness),
         blend_avx512(p.green, grey, pass.saturation, pass.greyness),
         blend_avx512(p.blue, grey, pass.saturation, pass.greyness)};
    if constexpr (kParts.turns || kParts.sums)
      p = {floor_avx512(p.red), floor_avx512(p.green), floor_avx512(p.blue)};
  }
  if constexpr (kParts.turns) p = turn_avx512(p, pass.sixths);
  if constexpr (kParts.turns && kParts.sums)
    p = {floor_avx512(p.red), floor_avx512(p.green), floor_avx512(p.blue)};
  if constexpr (kParts.sums) greys = _mm512_cvttps_epi32(grey_avx512(p));
  if constexpr (!kParts.saturates && !kParts.turns) return bytes;
  return pack_avx512(p);
}

template <Parts kParts>
DFINE_AVX512 uint64_t apply_avx512(const ColourPass& given, const PixelRows& pixels) {
  ColourPass16 pass{{},
                    _mm512_set1_ps(given.saturation),
                    _mm512_set1_ps(1 - given.saturation),
                    _mm512_set1_ps(6 * given.hue)};
  if constexpr (kParts.blends) {
    alignas(64) std::array<uint8_t, 256> table;
    for (size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<uint8_t>(blend(static_cast<float>(i), given.base, given.gain));
    for (size_t i = 0; i < 4; ++i) pass.table[i] = _mm512_load_si512(table.data() + 64 * i);
  }
  // Without neighbouring pixels in it a block can be any 64 bytes.
  constexpr bool kBytesAlone = !kParts.saturates && !kParts.turns && !kParts.sums;
  constexpr size_t kBlock = kBytesAlone ? 64 : 48;
  __m512i sums = _mm512_setzero_si512(), greys = sums;
  for (size_t y = 0; y < pixels.rows; ++y) {
    uint8_t* rgb = pixels.rgb + y * pixels.stride;
    size_t left = 3 * pixels.width;
    for (; left >= 64; left -= kBlock, rgb += kBlock) {
      const __m512i bytes = apply_block_avx512<kParts>(pass, _mm512_loadu_si512(rgb), greys);
      if constexpr (kBytesAlone) {
        _mm512_storeu_si512(rgb, bytes);
      } else if constexpr (kParts.blends || kParts.saturates || kParts.turns) {
        // Not masked: the load of the next block would wait for a store that overlaps it.
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(rgb), _mm512_castsi512_si256(bytes));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb + 32), _mm512_extracti32x4_epi32(bytes, 2));
      }
      if constexpr (kParts.sums) sums = _mm512_add_epi32(sums, greys);
    }
    for (size_t size; left > 0; left -= size, rgb += size) {
      size = std::min(left, kBlock);
      const __mmask64 used = low_bits(size);
      const __m512i bytes =
          apply_block_avx512<kParts>(pass, _mm512_maskz_loadu_epi8(used, rgb), greys);
      if constexpr (kParts.blends || kParts.saturates || kParts.turns)
        _mm512_mask_storeu_epi8(rgb, used, bytes);
      if constexpr (kParts.sums)
        sums = _mm512_mask_add_epi32(sums, static_cast<__mmask16>(low_bits(size / 3)), sums, greys);
    }
  }
  alignas(64) std::array<uint32_t, 16> lanes;
  _mm512_store_si512(lanes.data(), sums);
  return std::accumulate(lanes.begin(), lanes.end(), uint64_t{0});
}

struct Avx2 {
  template <Parts kParts>
  static uint64_t apply(const ColourPass& pass, const PixelRows& pixels) {
    return apply_avx2<kParts>(pass, pixels);
  }
};

struct Avx512 {
  template <Parts kParts>
  static uint64_t apply(const ColourPass& pass, const PixelRows& pixels) {
    return apply_avx512<kParts>(pass, pixels);
  }
};

template <class Set, bool kSum>
uint64_t choose(const ColourPass& pass, const PixelRows& pixels) {
  using Apply = uint64_t (*)(const ColourPass&, const PixelRows&);
  constexpr Apply kChoices[] = {Set::template apply<Parts{false, false, false, kSum}>,
                                Set::template apply<Parts{false, false, true, kSum}>,
                                Set::template apply<Parts{false, true, false, kSum}>,
                                Set::template apply<Parts{false, true, true, kSum}>,
                                Set::template apply<Parts{true, false, false, kSum}>,
                                Set::template apply<Parts{true, false, true, kSum}>,
                                Set::template apply<Parts{true, true, false, kSum}>,
                                Set::template apply<Parts{true, true, true, kSum}>};
  const int choice =
      (pass.gain != 1 ? 4 : 0) + (pass.saturation != 1 ? 2 : 0) + (pass.hue != 0 ? 1 : 0);
  return kChoices[choice](pass, pixels);
}

constexpr PhotometricKernels kAvx2{choose<Avx2, true>, choose<Avx2, false>};
constexpr PhotometricKernels kAvx512{choose<Avx512, true>, choose<Avx512, false>};

#endif

constexpr PhotometricKernels kPortable{apply_portable, apply_portable};

}  // namespace

const PhotometricKernels& portable_photometric_kernels() {
  return kPortable;
}

std::vector<const PhotometricKernels*> usable_photometric_kernels() {
  std::vector<const PhotometricKernels*> usable{&kPortable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    usable.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi"))
      usable.push_back(&kAvx512);
  }
#endif
  return usable;
}

const PhotometricKernels& best_photometric_kernels() {
  static const PhotometricKernels& best = *usable_photometric_kernels().back();
  return best;
}

}  // namespace dfine::inline image
