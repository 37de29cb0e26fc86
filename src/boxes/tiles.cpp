#include "boxes/tiles.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline boxes {
namespace {

/// Where tiles of `side` pixels start that cover `length` pixels.
std::vector<int64_t> starts(int64_t length, int64_t side, int64_t step) {
  std::vector<int64_t> all{0};
  while (all.back() + side < length) all.push_back(std::min(all.back() + step, length - side));
  return all;
}

}  // namespace

std::vector<Tile> cut_into_tiles(ImageSize image, int64_t side, double overlap) {
  if (side <= 0 || !(overlap >= 0 && overlap < 1))
    throw Error(ErrorCode::kBadValue,
                str_cat("tiles of ", side, " pixels with an overlap of ", overlap),
                "tiles have at least 1 pixel; the overlap is from 0 to below 1");
  const auto shared = static_cast<int64_t>(std::ceil(overlap * static_cast<double>(side) - 1e-9));
  const int64_t step = std::max<int64_t>(1, side - shared);
  std::vector<Tile> tiles;
  for (const int64_t top : starts(image.height, side, step)) {
    for (const int64_t left : starts(image.width, side, step))
      tiles.push_back({left, top, std::min(side, image.width), std::min(side, image.height)});
  }
  return tiles;
}

}  // namespace dfine::inline boxes
