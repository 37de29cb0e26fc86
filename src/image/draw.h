#pragma once
// Detections drawn on a picture.
#include <span>
#include <string>

#include "image/image.h"
#include "image/label_font.h"

namespace dfine::inline image {

struct DrawnBox {
  double x1 = 0, y1 = 0, x2 = 0,
         y2 = 0;     // corners in pixels, x2 and y2 exclusive; may reach outside the picture
  int label = 0;     // chooses the colour
  std::string text;  // UTF-8, e.g. "person 0.87"; may be empty
};

/// Draws the outlines, later boxes over earlier ones, then all labels. Each label goes where it
/// hides no other one if there is such a place beside its box. Lines and text grow with the
/// picture; on pictures too small for text (under some 32 pixels) there are only outlines. Boxes
/// that lie outside the picture or have a coordinate that is not finite are skipped. `font`: null
/// stands for strokes, which have ASCII alone (image/stroke_font.h).
void draw_boxes(Image& image, std::span<const DrawnBox> boxes, const LabelFont* font = nullptr);

}  // namespace dfine::inline image
