#pragma once
// What the image targets have in common: any bytes at all either decode to a full picture of the
// announced size, or throw Error.
#include <algorithm>
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

template <class... Arguments>
bool decodes(Arguments&&... arguments) {
  try {
    decode_image(arguments...);
    return true;
  } catch (const Error&) {
    return false;
  }
}

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
    // Any part: with the same bytes at its place, or an error where the whole is one.
    const size_t pick = file.size() * 2654435761U;
    const int left = static_cast<int>(pick % static_cast<size_t>(info.width)),
              top = static_cast<int>(pick / 7 % static_cast<size_t>(info.height));
    const Window part{left, top, 1 + (info.width - left) / 2, 1 + (info.height - top) / 2};
    Image image(3, 3), of_part(5, 5);
    const bool decoded = decodes(file, image);
    if (decodes(file, of_part, part) != decoded) std::abort();
    if (!decoded) return 0;
    if (image.width != info.width || image.height != info.height) std::abort();
    if (image.pixels.size() != image.row_bytes() * static_cast<size_t>(image.height)) std::abort();
    for (int y = top; y < part.bottom(); ++y) {
      const ptrdiff_t from = ptrdiff_t{3} * left, bytes = ptrdiff_t{3} * part.width;
      if (!std::equal(image.row(y) + from, image.row(y) + from + bytes, of_part.row(y) + from))
        std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace dfine::fuzz
