#pragma once
// Windows of a large image, each of which the network sees by itself.
#include <cstdint>
#include <vector>

#include "core/image_size.h"

namespace dfine::inline boxes {

/// Pixels of the image.
struct Tile {
  int64_t left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Tile&) const = default;
};

/// Tiles of equal size that cover the image, row by row. Neighbours share at least the part
/// `overlap` of their side; the last ones of a row or column are shifted inward, so they share
/// more. Where the image is smaller than a tile, a tile is as small as the image: a small image is
/// one tile. Throws Error unless `side` > 0 and 0 <= `overlap` < 1.
std::vector<Tile> cut_into_tiles(ImageSize image, int64_t side, double overlap);

}  // namespace dfine::inline boxes
