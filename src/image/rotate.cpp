#include "image/rotate.h"

#include <cstring>

namespace dfine::inline image {

void rotate_quarters(const Image& source, const Window& part, int quarter_turns, Image& out) {
  const bool sideways = quarter_turns % 2 == 1;
  out.reshape(sideways ? part.height : part.width, sideways ? part.width : part.height);
  const auto stride = static_cast<ptrdiff_t>(source.row_bytes());
  const ptrdiff_t right = ptrdiff_t{part.width - 1} * 3, bottom = (part.height - 1) * stride;
  // Where the result's first pixel lies in the part, and the way to the one at its right and the
  // one below it.
  const ptrdiff_t starts[] = {0, right, right + bottom, bottom}, along[] = {3, stride, -3, -stride},
                  below[] = {stride, -3, -stride, 3};
  const uint8_t* row = source.row(part.top) + ptrdiff_t{part.left} * 3 + starts[quarter_turns];
  for (int y = 0; y < out.height; ++y, row += below[quarter_turns]) {
    uint8_t* target = out.row(y);
    const uint8_t* pixel = row;
    for (int x = 0; x < out.width; ++x, pixel += along[quarter_turns], target += 3)
      std::memcpy(target, pixel, 3);
  }
}

}  // namespace dfine::inline image
