#pragma once
#include <cstdint>
#include <span>

namespace dfine::inline image {

/// The orientation that the EXIF data of a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk) file or the
/// directory of a TIFF file give: 1 to 8 (EXIF 2.32, tag 0x0112); 1, upright, where there are none
/// or they are damaged. Decoders here do not apply it.
int exif_orientation(std::span<const uint8_t> file);

}  // namespace dfine::inline image
