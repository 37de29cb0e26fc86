#pragma once
// Antialiased bilinear resize, as torchvision's and transformers' processors do it on uint8. It is
// a triangle filter that widens with the scale when the picture shrinks, first along rows, then
// along columns. Values in between have 8 bits, weights are 16-bit fixed-point numbers (ATen's
// `_upsample_bilinear2d_aa` on uint8 tensors). The result equals ATen's bit for bit; Pillow's, with
// finer weights, differs by one step now and then.
#include <array>
#include <cstdint>

#include "image/image.h"
#include "image/window.h"

namespace dfine::inline image {

/// `source` at width x height pixels, all four sizes at least 1. Single-threaded.
Image resize_antialias(const Image& source, int width, int height);

/// The same into `out` as planes, [3, height, width] uint8; with `flip` mirrored left to right.
void resize_antialias_chw(const Image& source, int width, int height, bool flip, uint8_t* out);

/// What resize_window_chw makes of a picture.
struct WindowResize {
  Window window;              // of the source, at least 1 x 1; may lie outside it in part or wholly
  int width = 0, height = 0;  // of the result, pixels
  bool flip = false;          // mirrored left to right at the end
  std::array<uint8_t, 3> channels{0, 1, 2};  // plane p holds the source's channel channels[p]
  uint8_t fill = 0;                          // all channels of the pixels outside the source
};

/// Writes the window at width x height pixels into `out` as planes, [3, height, width] uint8. Equal
/// to padding with `fill`, cropping and resizing, but only the pixels that the source has cost
/// time.
void resize_window_chw(const Image& source, const WindowResize& how, uint8_t* out);

}  // namespace dfine::inline image
