#include "image/orient.h"

#include <cstddef>
#include <cstring>

namespace dfine::inline image {

Image upright(const Image& stored, int orientation) {
  // How the first stored row and column lie in the picture: exchanged, then mirrored.
  const bool exchanged = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto stride = static_cast<ptrdiff_t>(stored.row_bytes());
  // Steps through the stored pixels, in bytes, for one pixel to the right and one down in the
  // picture.
  const ptrdiff_t x_step = from_right ? -3 : 3, y_step = from_bottom ? -stride : stride;
  const ptrdiff_t right = exchanged ? y_step : x_step, down = exchanged ? x_step : y_step;
  Image picture;
  picture.reshape(exchanged ? stored.height : stored.width,
                  exchanged ? stored.width : stored.height);
  const ptrdiff_t first = (from_right ? ptrdiff_t{stored.width - 1} * 3 : 0) +
                          (from_bottom ? (stored.height - 1) * stride : 0);
  for (int y = 0; y < picture.height; ++y) {
    uint8_t* target = picture.row(y);
    ptrdiff_t from = first + y * down;
    for (int x = 0; x < picture.width; ++x, from += right, target += 3)
      std::memcpy(target, stored.pixels.data() + from, 3);
  }
  return picture;
}

}  // namespace dfine::inline image
