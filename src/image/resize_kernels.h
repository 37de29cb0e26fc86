#pragma once
// Inner loops of the resize: portable, for AVX2 and for AVX-512, chosen at run time. All give the
// same bytes.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/resize_weights.h"

namespace dfine::inline image {

/// The outputs of an axis in blocks of 16, in the order in which they are written: what the AVX-512
/// loop takes. Made once for all rows of a picture.
class AxisBlocks {
 public:
  static constexpr int kOutputs = 16;  // of a block; the last may have fewer

  struct Block {
    int first;                      // input pixel from which `picks` count
    int size;                       // outputs
    int pairs;                      // pairs of weights, the most that an output has
    bool wide;                      // picks reach beyond the first 64 bytes
    std::array<uint8_t, 64> picks;  // for each output its first input's byte, unused, the byte one
                                    // pixel further, unused
  };

  /// `axis` must outlive this. With `flip` the last output comes first.
  AxisBlocks(const AxisWeights& axis, bool flip);

  const AxisWeights& axis() const { return *axis_; }
  bool flip() const { return flip_; }
  /// False: some block's inputs are too far apart for `picks`, and there are no blocks.
  bool fits() const { return fits_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// [pairs, 16, 2], zero where an output has fewer; those of all blocks one after another.
  const std::vector<int16_t>& weights() const { return weights_; }
  /// Memory for one row of RGB pixels.
  uint8_t* row() { return row_.data(); }

 private:
  const AxisWeights* axis_;
  bool flip_, fits_ = true;
  std::vector<Block> blocks_;
  std::vector<int16_t> weights_;
  std::vector<uint8_t> row_;
};

struct ResizeKernels {
  /// One row of RGB pixels: `out` [axis outputs, 3] from `in`. Bytes behind the last pixel of `in`
  /// must be readable: kReadAhead plus three for each weight of the stride.
  void (*along_row)(const AxisWeights& axis, const uint8_t* in, uint8_t* out);

  /// The same into three rows of one channel each, mirrored where the blocks are.
  void (*along_row_planes)(AxisBlocks& blocks, const uint8_t* in,
                           const std::array<uint8_t*, 3>& planes);

  /// Weighted sum of rows: out[x] for x < bytes from rows[k][x], k < count. `count` is even and at
  /// least 2.
  void (*across_rows)(const uint8_t* const* rows, const int16_t* weights, int count, int precision,
                      size_t bytes, uint8_t* out);

  /// [width, 3] to three rows of `width` bytes, one for each channel, mirrored with `flip`.
  void (*to_planes)(const uint8_t* rgb, int width, bool flip,
                    const std::array<uint8_t*, 3>& planes);
};

inline constexpr size_t kReadAhead = 144;

const ResizeKernels& portable_resize_kernels();

/// Those that this processor can run, the best one last.
std::vector<const ResizeKernels*> usable_resize_kernels();

/// Those for this processor.
const ResizeKernels& best_resize_kernels();

}  // namespace dfine::inline image
