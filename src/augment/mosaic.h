#pragma once
// Four images as one, as DEIM's Mosaic has it (github.com/Intellindust-AI-Lab/DEIM, engine/data/transforms/mosaic.py).
#include <span>
#include <vector>

#include "augment/boxes.h"
#include "augment/draws.h"
#include "image/image.h"

namespace dfine {

/// A decoded image and its boxes.
struct AugmentSource {
  Image image;
  std::vector<LabelledBox> boxes;
};

/// Resizes the four to config.mosaic_tile at their shorter sides, puts them into the quadrants of a canvas of twice their largest width
/// and height, each at its quadrant's upper left corner, and turns, scales and shifts the whole (nearest pixel, `config.fill` around it).
/// The boxes become the upright rectangles around what they were, cut to the canvas; they may be empty. `canvas` is memory to be reused.
void compose_mosaic(std::span<const AugmentSource> four, const MosaicDraw& draw, const AugmentConfig& config, Image& canvas,
                    AugmentSource& out);

}  // namespace dfine
