#pragma once
// What the image targets have in common: any bytes at all either decode to a full picture of the
// announced size, or throw Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/error.h"
#include "image/decode.h"

namespace dfine::fuzz {

/// Larger pictures have their header read only: clearing hundreds of megabytes would be all that a
/// run does.
inline constexpr int64_t kMaxPixels = 1 << 20;

/// Aborts on a broken promise of image/decode.h; anything but Error that is thrown ends the run as
/// well.
inline int decode_anything(std::span<const uint8_t> file, ImageFormat format) {
  try {
    check_complete(file);
  } catch (const Error&) {
  }
  try {
    const ImageInfo info = probe_image(file);
    if (info.format != format) return -1;  // of another target; not worth keeping in the corpus
    if (info.width < 1 || info.height < 1 || info.channels < 1 || info.channels > 4) std::abort();
    if (int64_t{info.width} * info.height > kMaxPixels) return 0;
    Image image(3, 3);
    decode_image(file, image);
    if (image.width != info.width || image.height != info.height) std::abort();
    if (image.pixels.size() != image.row_bytes() * static_cast<size_t>(image.height)) std::abort();
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace dfine::fuzz
