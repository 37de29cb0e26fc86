#pragma once
#include <cstdint>
#include <span>

namespace dfine::inline image {

/// The orientation, 1 to 8 (EXIF 2.32, tag 0x0112). JPEG (APP1), PNG (eXIf) and WebP files (EXIF
/// chunk) hold it in their EXIF data, TIFF files in their directory. Without such data, or where
/// they are damaged, it is 1, upright. Decoders here do not apply it.
int exif_orientation(std::span<const uint8_t> file);

}  // namespace dfine::inline image
