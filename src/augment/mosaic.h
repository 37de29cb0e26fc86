#pragma once
// Four images as one, as DEIM's Mosaic has it (github.com/Intellindust-AI-Lab/DEIM,
// engine/data/transforms/mosaic.py).
#include <span>
#include <vector>

#include "augment/boxes.h"
#include "augment/draws.h"
#include "image/image.h"

namespace dfine::inline augment {

/// A decoded image and its boxes.
struct AugmentSource {
  Image image;
  std::vector<LabelledBox> boxes;
};

/// Longest side of one of the four after its resize, pixels. The canvas is at most twice as wide
/// and high.
inline constexpr int kMaxMosaicTile = 4096;

/// Resizes the shorter sides of the four to config.mosaic_tile. A longer side beyond kMaxMosaicTile
/// is shortened to it, so that a very long image loses its aspect ratio. The four go into the
/// quadrants of a canvas of twice their largest width and height, each at its quadrant's upper left
/// corner. Then the whole is turned, scaled and shifted (nearest pixel, `config.fill` around it).
/// The boxes become the upright rectangles around what they were, cut to the canvas; they may be
/// empty. `canvas` is memory to be reused.
void compose_mosaic(std::span<const AugmentSource> four, const MosaicDraw& draw,
                    const AugmentConfig& config, Image& canvas, AugmentSource& out);

}  // namespace dfine::inline augment
