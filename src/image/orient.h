#pragma once
#include "image/image.h"

namespace dfine::inline image {

/// The picture as viewers show it: `stored` turned and mirrored by its EXIF orientation, 1 to 8
/// (EXIF 2.32, tag 0x0112). Orientations 5 to 8 exchange width and height.
Image upright(const Image& stored, int orientation);

}  // namespace dfine::inline image
