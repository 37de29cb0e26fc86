#pragma once
// Inner loops of the resize: portable, and for AVX2, which is chosen at run time. Both give the
// same bytes.
#include <array>
#include <cstddef>
#include <cstdint>

#include "image/resize_weights.h"

namespace dfine::inline image {

struct ResizeKernels {
  /// One row of RGB pixels: `out` [axis outputs, 3] from `in`. Bytes behind the last pixel of `in`
  /// must be readable: kReadAhead plus three for each weight of the stride.
  void (*along_row)(const AxisWeights& axis, const uint8_t* in, uint8_t* out);

  /// Weighted sum of rows: out[x] for x < bytes from rows[k][x], k < count. `count` is even and at
  /// least 2.
  void (*across_rows)(const uint8_t* const* rows, const int16_t* weights, int count, int precision,
                      size_t bytes, uint8_t* out);

  /// [width, 3] to three rows of `width` bytes, one for each channel, mirrored with `flip`.
  void (*to_planes)(const uint8_t* rgb, int width, bool flip,
                    const std::array<uint8_t*, 3>& planes);
};

inline constexpr size_t kReadAhead = 16;

const ResizeKernels& portable_resize_kernels();

/// Those for this processor.
const ResizeKernels& best_resize_kernels();

}  // namespace dfine::inline image
