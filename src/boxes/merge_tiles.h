#pragma once
// One list of objects from the detections of overlapping tiles.
#include <span>
#include <vector>

#include "boxes/scored_box.h"
#include "boxes/tiles.h"

namespace dfine::inline boxes {

struct TileDetections {
  Tile tile;
  std::vector<ScoredBox> boxes;  // in pixels of the image
};

/// Every object once, by descending score. The first tile may be the whole image, for objects that
/// no tile sees whole.
///
/// - Detections of one tile are never joined: the model itself needs no suppression.
/// - Two tiles have seen the same object where their boxes of one class agree (IoU >= 0.5) within
///   the pixels that both tiles see. So a box that a border has cut fits the whole one, and two
///   halves of an object fit each other. The pairs that agree best are joined first.
/// - An object's box is the one with the highest score of those that no border has cut. If all are
///   cut, it is the smallest box around them, with their highest score.
/// - A cut box that is still alone is a part of an object from other tiles if it lies in its box.
/// - A box from the whole image counts only if no tile sees all of it well.
///
/// Time: for each pair of tiles that overlap, the product of their detections in the common part.
std::vector<ScoredBox> merge_tiles(std::span<const TileDetections> tiles);

}  // namespace dfine::inline boxes
