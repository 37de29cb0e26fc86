#pragma once
// A decoded picture: 8-bit RGB, rows from top to bottom, pixels from left to right, channels
// interleaved, no padding.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline image {

struct Image {
  int width = 0, height = 0;    // pixels
  std::vector<uint8_t> pixels;  // [height, width, 3]

  Image() = default;
  /// Black.
  Image(int w, int h) { reshape(w, h); }

  /// Gives the image this size; the contents are unspecified. Keeps the memory it has where that is
  /// large enough.
  void reshape(int w, int h) {
    width = w;
    height = h;
    pixels.resize(static_cast<size_t>(w) * h * 3);
  }

  size_t row_bytes() const { return static_cast<size_t>(width) * 3; }
  uint8_t* row(int y) { return pixels.data() + static_cast<size_t>(y) * row_bytes(); }
  const uint8_t* row(int y) const { return pixels.data() + static_cast<size_t>(y) * row_bytes(); }
};

}  // namespace dfine::inline image
