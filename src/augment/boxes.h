#pragma once
// Boxes on their way through the augmentation.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "image/window.h"

namespace dfine::inline augment {

/// A box of an image: left, top, right, bottom in its pixels.
struct LabelledBox {
  std::array<float, 4> xyxy{};
  int32_t label = 0;
};

/// A box of a training target: centre, width, height in shares of the image's sides.
struct TargetBox {
  std::array<float, 4> cxcywh{};
  int32_t label = 0;
};

/// The box of a pack in pixels of the decoded image.
LabelledBox labelled_box(const std::array<float, 4>& cxcywh, int32_t label, int width, int height);

/// Whether the box's centre is inside the window, not on its edge (torchvision's RandomIoUCrop).
bool has_centre_in(const LabelledBox& box, const Window& window);

/// What geometry does after the window is chosen.
struct Placement {
  Window window;              // of the image in which the boxes are
  int quarter_turns = 0;      // counter-clockwise
  bool flip = false;          // left to right, after the turns
  int width = 0, height = 0;  // pixels of the result
};

/// Cuts the boxes to the window and appends those that are left, at their place in the result.
/// Dropped are boxes without area and those less wide or high than `min_size` pixels, in the window
/// or in the result; a thousandth of a pixel is granted for the rounding of normalised coordinates.
void place_boxes(std::span<const LabelledBox> boxes, const Placement& placement, double min_size,
                 std::vector<TargetBox>& out);

}  // namespace dfine::inline augment
