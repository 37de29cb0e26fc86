#pragma once
// Antialiased bilinear resize, as torchvision's and transformers' processors do it on uint8: a triangle filter that widens with the
// scale when the picture shrinks, first along rows, then along columns, with 8-bit values in between and 16-bit fixed-point weights
// (ATen's `_upsample_bilinear2d_aa` on uint8 tensors). Equal to it bit for bit; Pillow's, with finer weights, differs by one step now
// and then.
#include <cstdint>

#include "image/image.h"

namespace dfine {

/// `source` at width x height pixels, all four sizes at least 1. Single-threaded.
Image resize_antialias(const Image& source, int width, int height);

/// The same into `out` as planes, [3, height, width] uint8; with `flip` mirrored left to right.
void resize_antialias_chw(const Image& source, int width, int height, bool flip, uint8_t* out);

}  // namespace dfine
