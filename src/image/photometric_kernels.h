#pragma once
// Inner loops of the colour distortions: portable, and for AVX2, which is chosen at run time. Both
// give the same bytes.
#include <cstddef>
#include <cstdint>

namespace dfine::inline image {

/// One pass over the pixels: value * gain + base * (1 - gain), then saturation, then hue; each
/// result cut to a whole number from 0 to 255. The defaults change nothing.
struct ColourPass {
  float gain = 1, base = 0;
  float saturation = 1;
  float hue = 0;  // turns

  bool changes() const { return gain != 1 || saturation != 1 || hue != 0; }
};

struct PhotometricKernels {
  /// RGB pixels in place.
  void (*apply)(const ColourPass& pass, uint8_t* rgb, size_t pixels);
  /// The same; returns the sum of their new greys, each cut to a whole number.
  uint64_t (*apply_and_sum)(const ColourPass& pass, uint8_t* rgb, size_t pixels);
};

const PhotometricKernels& portable_photometric_kernels();

/// Those for this processor.
const PhotometricKernels& best_photometric_kernels();

}  // namespace dfine::inline image
