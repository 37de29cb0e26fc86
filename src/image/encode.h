#pragma once
// Pixels to image files.
#include <cstdint>
#include <vector>

#include "image/image.h"

namespace dfine::inline image {

/// Baseline JPEG with full colour resolution, so that thin coloured lines stay sharp.
/// `quality` 1..100.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 92);

std::vector<uint8_t> encode_png(const Image& image);

}  // namespace dfine::inline image
