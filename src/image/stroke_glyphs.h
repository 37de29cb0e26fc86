#pragma once
// The strokes of each character; used by stroke_font.cpp alone.
#include <string_view>

namespace dfine::inline image {

/// The strokes of `code_point`: "M x y" lifts the pen and moves it, "L x y" draws a line. "Q cx cy
/// x y" draws a parabola with its control point. Units: the baseline is y = 0, capitals end at 10,
/// small letters at 7, x starts at 0. Unknown characters give a box.
std::string_view glyph_strokes(char32_t code_point);

}  // namespace dfine::inline image
