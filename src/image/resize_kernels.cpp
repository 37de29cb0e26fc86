#include "image/resize_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define DFINE_AVX2 __attribute__((target("avx2")))
#define DFINE_AVX512 \
  __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi2")))
#endif

namespace dfine::inline image {
namespace {

uint8_t round_off(int32_t sum, int precision) {
  return static_cast<uint8_t>(std::clamp(sum >> precision, 0, 255));
}

void along_row_portable(const AxisWeights& axis, const uint8_t* in, uint8_t* out) {
  const int32_t half = 1 << (axis.precision - 1);
  for (size_t i = 0; i < axis.first.size(); ++i) {
    const int16_t* const weights = axis.weight(static_cast<int>(i));
    const uint8_t* pixel = in + static_cast<size_t>(axis.first[i]) * 3;
    int32_t red = half, green = half, blue = half;
    for (int k = 0; k < axis.count[i]; ++k, pixel += 3) {
      red += weights[k] * pixel[0];
      green += weights[k] * pixel[1];
      blue += weights[k] * pixel[2];
    }
    *out++ = round_off(red, axis.precision);
    *out++ = round_off(green, axis.precision);
    *out++ = round_off(blue, axis.precision);
  }
}

void across_rows_portable(const uint8_t* const* rows, const int16_t* weights, int count,
                          int precision, size_t bytes, uint8_t* out) {
  constexpr size_t kBlock =
      256;  // so that the sums stay in cache, and the inner loops can be vectorised
  int32_t sums[kBlock];
  for (size_t x = 0; x < bytes; x += kBlock) {
    const size_t n = std::min(kBlock, bytes - x);
    std::fill_n(sums, n, 1 << (precision - 1));
    for (int k = 0; k < count; ++k) {
      for (size_t j = 0; j < n; ++j) sums[j] += weights[k] * rows[k][x + j];
    }
    for (size_t j = 0; j < n; ++j) out[x + j] = round_off(sums[j], precision);
  }
}

void to_planes_portable(const uint8_t* rgb, int width, bool flip,
                        const std::array<uint8_t*, 3>& planes) {
  const auto n = static_cast<size_t>(width);
  for (size_t c = 0; c < 3; ++c) {
    for (size_t x = 0; x < n; ++x) planes[c][flip ? n - 1 - x : x] = rgb[3 * x + c];
  }
}

void along_row_planes_portable(AxisBlocks& blocks, const uint8_t* in,
                               const std::array<uint8_t*, 3>& planes) {
  along_row_portable(blocks.axis(), in, blocks.row());
  to_planes_portable(blocks.row(), static_cast<int>(blocks.axis().first.size()), blocks.flip(),
                     planes);
}

#if defined(__x86_64__)

/// Adds to `sum` four neighbouring pixels of 3 bytes, weighted, as red, green, blue, 0 in 32 bits;
/// both halves are to be added. The pixels are laid out as 16-bit pairs. The lower half holds red 0
/// and 1, green 0 and 1, blue 0 and 1; the upper half those of pixels 2 and 3. One multiply-add of
/// pairs then weighs both.
DFINE_AVX2 inline __m256i add_weighted_avx2(__m256i sum, const uint8_t* pixels,
                                            const int16_t* weights) {
  const __m256i spread_pixels =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                       6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i spread_weights =
      _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,  //
                       4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
  const __m256i four =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels)));
  int64_t packed;
  std::memcpy(&packed, weights, sizeof packed);
  const __m256i pairs = _mm256_shuffle_epi8(_mm256_set1_epi64x(packed), spread_weights);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(four, spread_pixels), pairs));
}

/// Adds the halves of two sums and rounds: the first pixel in the lower half of the result, the
/// second in the upper.
DFINE_AVX2 inline __m256i two_pixels_avx2(__m256i first, __m256i second, __m256i half,
                                          __m128i precision) {
  const __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(first, second, 0x20),
                                       _mm256_permute2x128_si256(first, second, 0x31));
  return _mm256_sra_epi32(_mm256_add_epi32(sum, half), precision);
}

/// With kFour no output has more than four weights.
template <bool kFour>
DFINE_AVX2 void along_row_blocks_avx2(const AxisWeights& axis, const uint8_t* in, uint8_t* out) {
  constexpr size_t kBlock = 4;
  const size_t outputs = axis.first.size(), stride = static_cast<size_t>(axis.stride);
  const int *const firsts = axis.first.data(), *const counts = axis.count.data();
  const __m256i half = _mm256_set1_epi32(1 << (axis.precision - 1));
  const __m128i precision = _mm_cvtsi32_si128(axis.precision);
  const __m128i drop_fourth = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  for (size_t next = 0; next < outputs; next += kBlock) {
    const size_t i = std::min(next, outputs - kBlock);  // the last block overlaps the one before
    const int taps = kFour ? 4
                           : std::max(std::max(counts[i], counts[i + 1]),
                                      std::max(counts[i + 2], counts[i + 3]));
    const int16_t* weights = axis.values.data() + i * stride;
    const uint8_t* pixels[kBlock];
    __m256i sums[kBlock];
    for (size_t j = 0; j < kBlock; ++j) {
      pixels[j] = in + static_cast<ptrdiff_t>(firsts[i + j]) * 3;
      sums[j] = _mm256_setzero_si256();
    }
    for (int k = 0; k < taps; k += 4, weights += 4) {
      for (size_t j = 0; j < kBlock; ++j)
        sums[j] = add_weighted_avx2(sums[j], pixels[j] + static_cast<ptrdiff_t>(k) * 3,
                                    weights + j * stride);
    }
    const __m256i even = two_pixels_avx2(sums[0], sums[1], half, precision),
                  odd = two_pixels_avx2(sums[2], sums[3], half, precision);
    const __m256i words = _mm256_packs_epi32(even, odd);  // pixels 0 and 2 | 1 and 3
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const __m128i rgbx =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    const __m128i rgb = _mm_shuffle_epi8(rgbx, drop_fourth);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 3 * i), rgb);
    const int32_t rest = _mm_extract_epi32(rgb, 2);
    std::memcpy(out + 3 * i + 8, &rest, sizeof rest);
  }
}

void along_row_avx2(const AxisWeights& axis, const uint8_t* in, uint8_t* out) {
  if (axis.first.size() < 4) return along_row_portable(axis, in, out);
  if (axis.stride == 4) return along_row_blocks_avx2<true>(axis, in, out);
  along_row_blocks_avx2<false>(axis, in, out);
}

/// 32 bytes of the weighted sum. Unpacking is by halves of the registers, and so is packing at the
/// end: the order comes out right.
DFINE_AVX2 inline void across_32_avx2(const uint8_t* const* rows, const int16_t* weights, int count,
                                      int precision, size_t x, uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  const __m128i shift = _mm_cvtsi32_si128(precision);
  __m256i sum0 = _mm256_set1_epi32(1 << (precision - 1)), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int k = 0; k < count; k += 2) {
    int32_t packed;
    std::memcpy(&packed, weights + k, sizeof packed);
    const __m256i pair = _mm256_set1_epi32(packed);
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[k] + x));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[k + 1] + x));
    const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
    sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), pair));
    sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), pair));
    sum2 = _mm256_add_epi32(sum2, _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), pair));
    sum3 = _mm256_add_epi32(sum3, _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), pair));
  }
  const __m256i low =
      _mm256_packs_epi32(_mm256_sra_epi32(sum0, shift), _mm256_sra_epi32(sum1, shift));
  const __m256i high =
      _mm256_packs_epi32(_mm256_sra_epi32(sum2, shift), _mm256_sra_epi32(sum3, shift));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), _mm256_packus_epi16(low, high));
}

DFINE_AVX2 void across_rows_avx2(const uint8_t* const* rows, const int16_t* weights, int count,
                                 int precision, size_t bytes, uint8_t* out) {
  constexpr size_t kBlock = 32;
  if (bytes < kBlock) return across_rows_portable(rows, weights, count, precision, bytes, out);
  for (size_t x = 0; x + kBlock <= bytes; x += kBlock)
    across_32_avx2(rows, weights, count, precision, x, out);
  across_32_avx2(rows, weights, count, precision, bytes - kBlock,
                 out);  // the rest, overlapping what is there already
}

/// Where byte i of the 16 pixels of one plane lies among the 48 bytes they share with the other
/// two. `part` is the third looked at.
DFINE_AVX2 inline __m128i plane_mask(int channel, int part, bool flip) {
  alignas(16) int8_t mask[16];
  for (int i = 0; i < 16; ++i) {
    const int at = 3 * (flip ? 15 - i : i) + channel - 16 * part;
    mask[i] = static_cast<int8_t>(at >= 0 && at < 16 ? at : -1);
  }
  return _mm_load_si128(reinterpret_cast<const __m128i*>(mask));
}

DFINE_AVX2 void to_planes_avx2(const uint8_t* rgb, int width, bool flip,
                               const std::array<uint8_t*, 3>& planes) {
  constexpr int kBlock = 16;
  if (width < kBlock) return to_planes_portable(rgb, width, flip, planes);
  __m128i masks[3][3];
  for (int c = 0; c < 3; ++c) {
    for (int part = 0; part < 3; ++part) masks[c][part] = plane_mask(c, part, flip);
  }
  for (int next = 0; next < width; next += kBlock) {
    const int x = std::min(next, width - kBlock);  // the last block overlaps the one before
    const auto* const block = reinterpret_cast<const __m128i*>(rgb + static_cast<size_t>(x) * 3);
    const __m128i parts[3] = {_mm_loadu_si128(block), _mm_loadu_si128(block + 1),
                              _mm_loadu_si128(block + 2)};
    const int target = flip ? width - kBlock - x : x;
    for (size_t c = 0; c < 3; ++c) {
      const __m128i values = _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(parts[0], masks[c][0]),
                                                       _mm_shuffle_epi8(parts[1], masks[c][1])),
                                          _mm_shuffle_epi8(parts[2], masks[c][2]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(planes[c] + target), values);
    }
  }
}

void along_row_planes_avx2(AxisBlocks& blocks, const uint8_t* in,
                           const std::array<uint8_t*, 3>& planes) {
  along_row_avx2(blocks.axis(), in, blocks.row());
  to_planes_avx2(blocks.row(), static_cast<int>(blocks.axis().first.size()), blocks.flip(), planes);
}

constexpr ResizeKernels kAvx2{along_row_avx2, along_row_planes_avx2, across_rows_avx2,
                              to_planes_avx2};

/// The lowest `n` of 64 or 16 bits.
inline uint64_t low_bits(size_t n) {
  return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
}

/// The bytes of one channel that a block picks, as 16-bit pairs; `bytes` points to this channel of
/// the block's first pixel.
template <bool kWide>
DFINE_AVX512 inline __m512i pick_avx512(__m512i picks, const uint8_t* bytes) {
  constexpr __mmask64 kUsed = 0x5555555555555555;
  const __m512i near = _mm512_loadu_si512(bytes);
  if constexpr (!kWide) return _mm512_maskz_permutexvar_epi8(kUsed, picks, near);
  const __m512i far = _mm512_loadu_si512(bytes + 64);
  return _mm512_maskz_permutex2var_epi8(kUsed, near, picks, far);
}

/// One multiply-add of pairs weighs two inputs of all 16 outputs.
template <bool kWide>
DFINE_AVX512 inline void along_block_avx512(const AxisBlocks::Block& block, const int16_t* weights,
                                            const uint8_t* in, __m512i half, __m128i precision,
                                            const std::array<uint8_t*, 3>& planes, size_t at) {
  const __m512i picks = _mm512_loadu_si512(block.picks.data());
  const uint8_t* bytes = in + static_cast<ptrdiff_t>(block.first) * 3;
  __m512i red = half, green = half, blue = half;
  for (int pair = 0; pair < block.pairs; ++pair, bytes += 6, weights += 32) {
    const __m512i share = _mm512_loadu_si512(weights);
    red = _mm512_add_epi32(red, _mm512_madd_epi16(pick_avx512<kWide>(picks, bytes), share));
    green = _mm512_add_epi32(green, _mm512_madd_epi16(pick_avx512<kWide>(picks, bytes + 1), share));
    blue = _mm512_add_epi32(blue, _mm512_madd_epi16(pick_avx512<kWide>(picks, bytes + 2), share));
  }
  const auto used = static_cast<__mmask16>(low_bits(static_cast<size_t>(block.size)));
  const __m512i sums[3] = {red, green, blue};
  for (size_t c = 0; c < 3; ++c) {  // no weight is negative, so no sum is
    const __m128i values = _mm512_cvtusepi32_epi8(_mm512_sra_epi32(sums[c], precision));
    _mm_mask_storeu_epi8(planes[c] + at, used, values);
  }
}

DFINE_AVX512 void along_row_planes_avx512(AxisBlocks& blocks, const uint8_t* in,
                                          const std::array<uint8_t*, 3>& planes) {
  if (!blocks.fits()) return along_row_planes_avx2(blocks, in, planes);
  const __m512i half = _mm512_set1_epi32(1 << (blocks.axis().precision - 1));
  const __m128i precision = _mm_cvtsi32_si128(blocks.axis().precision);
  const int16_t* weights = blocks.weights().data();
  size_t at = 0;
  for (const AxisBlocks::Block& block : blocks.blocks()) {
    if (block.wide) {
      along_block_avx512<true>(block, weights, in, half, precision, planes, at);
    } else {
      along_block_avx512<false>(block, weights, in, half, precision, planes, at);
    }
    weights += static_cast<ptrdiff_t>(block.pairs) * 32;
    at += AxisBlocks::kOutputs;
  }
}

/// As in across_32_avx2, with 64 bytes; those that `used` skips are neither read nor written.
DFINE_AVX512 inline void across_64_avx512(const uint8_t* const* rows, const int16_t* weights,
                                          int count, __m512i half, __m128i shift, size_t x,
                                          __mmask64 used, uint8_t* out) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i sum0 = half, sum1 = half, sum2 = half, sum3 = half;
  for (int k = 0; k < count; k += 2) {
    int32_t packed;
    std::memcpy(&packed, weights + k, sizeof packed);
    const __m512i pair = _mm512_set1_epi32(packed);
    const __m512i a = _mm512_maskz_loadu_epi8(used, rows[k] + x);
    const __m512i b = _mm512_maskz_loadu_epi8(used, rows[k + 1] + x);
    const __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
    sum0 = _mm512_add_epi32(sum0, _mm512_madd_epi16(_mm512_unpacklo_epi8(low, zero), pair));
    sum1 = _mm512_add_epi32(sum1, _mm512_madd_epi16(_mm512_unpackhi_epi8(low, zero), pair));
    sum2 = _mm512_add_epi32(sum2, _mm512_madd_epi16(_mm512_unpacklo_epi8(high, zero), pair));
    sum3 = _mm512_add_epi32(sum3, _mm512_madd_epi16(_mm512_unpackhi_epi8(high, zero), pair));
  }
  const __m512i low =
      _mm512_packs_epi32(_mm512_sra_epi32(sum0, shift), _mm512_sra_epi32(sum1, shift));
  const __m512i high =
      _mm512_packs_epi32(_mm512_sra_epi32(sum2, shift), _mm512_sra_epi32(sum3, shift));
  _mm512_mask_storeu_epi8(out + x, used, _mm512_packus_epi16(low, high));
}

DFINE_AVX512 void across_rows_avx512(const uint8_t* const* rows, const int16_t* weights, int count,
                                     int precision, size_t bytes, uint8_t* out) {
  const __m512i half = _mm512_set1_epi32(1 << (precision - 1));
  const __m128i shift = _mm_cvtsi32_si128(precision);
  for (size_t x = 0; x < bytes; x += 64)
    across_64_avx512(rows, weights, count, half, shift, x, low_bits(bytes - x), out);
}

constexpr ResizeKernels kAvx512{along_row_avx2, along_row_planes_avx512, across_rows_avx512,
                                to_planes_avx2};

#endif

constexpr ResizeKernels kPortable{along_row_portable, along_row_planes_portable,
                                  across_rows_portable, to_planes_portable};

}  // namespace

AxisBlocks::AxisBlocks(const AxisWeights& axis, bool flip)
    : axis_(&axis), flip_(flip), row_(axis.first.size() * 3 + kReadAhead) {
  const int outputs = static_cast<int>(axis.first.size());
  constexpr int kReach = 2 * 64 - 1;  // the last byte that a pick can name
  for (int begin = 0; begin < outputs; begin += kOutputs) {
    Block block{.first = 0,
                .size = std::min(kOutputs, outputs - begin),
                .pairs = 0,
                .wide = false,
                .picks = {}};
    const auto output = [&](int j) {
      return static_cast<size_t>(flip ? outputs - 1 - begin - j : begin + j);
    };
    block.first = std::min(axis.first[output(0)], axis.first[output(block.size - 1)]);
    for (int j = 0; j < block.size; ++j) {
      const int byte = (axis.first[output(j)] - block.first) * 3;
      if (byte + 3 > kReach) {
        fits_ = false;
        blocks_.clear();
        weights_.clear();
        return;
      }
      block.wide = block.wide || byte + 3 > 63;
      block.pairs = std::max(block.pairs, (axis.count[output(j)] + 1) / 2);
      block.picks[4 * static_cast<size_t>(j)] = static_cast<uint8_t>(byte);
      block.picks[4 * static_cast<size_t>(j) + 2] = static_cast<uint8_t>(byte + 3);
    }
    const size_t at = weights_.size();
    weights_.resize(at + static_cast<size_t>(block.pairs) * 2 * kOutputs);
    for (int j = 0; j < block.size; ++j) {
      const int16_t* const given = axis.weight(static_cast<int>(output(j)));
      for (int pair = 0; pair < block.pairs; ++pair)
        std::copy_n(given + 2 * static_cast<ptrdiff_t>(pair), 2,
                    weights_.begin() + static_cast<ptrdiff_t>(at) +
                        (static_cast<ptrdiff_t>(pair) * kOutputs + j) * 2);
    }
    blocks_.push_back(block);
  }
}

const ResizeKernels& portable_resize_kernels() {
  return kPortable;
}

std::vector<const ResizeKernels*> usable_resize_kernels() {
  std::vector<const ResizeKernels*> usable{&kPortable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    usable.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi"))
      usable.push_back(&kAvx512);
  }
#endif
  return usable;
}

const ResizeKernels& best_resize_kernels() {
  static const ResizeKernels& best = *usable_resize_kernels().back();
  return best;
}

}  // namespace dfine::inline image
