#pragma once
// Text of any size without font files: each character is a few pen strokes, drawn with a round pen
// and smooth edges.
#include <string>
#include <string_view>

#include "image/colour.h"
#include "image/image.h"
#include "image/label_font.h"

namespace dfine::inline image {

/// How far letters reach below the baseline, and brackets above it, in cap heights.
inline constexpr double kDescent = 0.3, kAscent = 1.12;

/// Width in pixels of UTF-8 `text` whose capitals are `cap_height` pixels high. ASCII has its own
/// shapes, and accented Latin letters lose their accent. Everything else (and each byte that is no
/// UTF-8) is shown as an empty box.
double text_width(std::string_view text, double cap_height);

/// `text`, or as much of its beginning as fits into `width` pixels with "..." behind it; empty if
/// not even that fits.
std::string fit_text(std::string_view text, double cap_height, double width);

/// Draws `text` from x with its baseline at row `baseline`; what lies outside the picture is
/// skipped.
void draw_text(Image& image, std::string_view text, double x, double baseline, double cap_height,
               Colour colour);

/// The same font for draw_boxes().
const LabelFont& stroke_font();

}  // namespace dfine::inline image
