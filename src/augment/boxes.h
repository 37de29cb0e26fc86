#pragma once
// Boxes on their way through the augmentation.
#include <span>
#include <vector>

#include "core/labelled_box.h"
#include "image/window.h"

namespace dfine::inline augment {

/// Whether the box's centre is inside the window, not on its edge (torchvision's RandomIoUCrop).
bool has_centre_in(const LabelledBox& box, const Window& window);

/// What geometry does after the window is chosen.
struct Placement {
  Window window;              // of the image in which the boxes are
  int quarter_turns = 0;      // counter-clockwise
  bool flip = false;          // left to right, after the turns
  int width = 0, height = 0;  // pixels of the result
};

/// Cuts the boxes to the window and appends those that are left, in pixels of the result. Drops
/// boxes without area and those narrower or lower than `min_size` pixels, in the window or in the
/// result. Sizes are compared as float32: 1.1 - 0.1 pixels are one pixel.
void place_boxes(std::span<const LabelledBox> boxes, const Placement& placement, double min_size,
                 std::vector<LabelledBox>& out);

}  // namespace dfine::inline augment
