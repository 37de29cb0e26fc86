#pragma once
// Inner loops of the colour distortions: portable, for AVX2 and for AVX-512, chosen at run time.
// All give the same bytes.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline image {

/// One pass over the pixels: value * gain + base * (1 - gain), then saturation, then hue; each
/// result cut to a whole number from 0 to 255. The defaults change nothing.
struct ColourPass {
  float gain = 1, base = 0;
  float saturation = 1;
  float hue = 0;  // turns

  bool changes() const { return gain != 1 || saturation != 1 || hue != 0; }
};

/// RGB pixels of a picture: `rows` rows of `width` pixels, `stride` bytes apart. At most 2^24
/// pixels (their greys are added up in 32 bits).
struct PixelRows {
  uint8_t* rgb;
  size_t width, rows, stride;
};

struct PhotometricKernels {
  /// In place; returns the sum of the new greys, each cut to a whole number.
  uint64_t (*rows_and_sum)(const ColourPass& pass, const PixelRows& pixels);
  /// The same without the sum; returns 0.
  uint64_t (*rows)(const ColourPass& pass, const PixelRows& pixels);

  void apply(const ColourPass& pass, uint8_t* rgb, size_t pixels) const {
    rows(pass, {rgb, pixels, 1, 0});
  }
  uint64_t apply_and_sum(const ColourPass& pass, uint8_t* rgb, size_t pixels) const {
    return rows_and_sum(pass, {rgb, pixels, 1, 0});
  }
};

const PhotometricKernels& portable_photometric_kernels();

/// Those that this processor can run, the best one last.
std::vector<const PhotometricKernels*> usable_photometric_kernels();

/// Those for this processor.
const PhotometricKernels& best_photometric_kernels();

}  // namespace dfine::inline image
