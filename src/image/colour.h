#pragma once
// Colours for drawing.
#include <cstdint>

namespace dfine::inline image {

/// sRGB.
struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};

/// The colour of class `label`: neighbouring labels are far apart in hue, later ones differ in
/// lightness too. Even in lightness and saturation (OKLCH; Ottosson, "A perceptual color space for
/// image processing", 2020). Any int is allowed.
Colour class_colour(int label);

/// Black or white, whichever is easier to read on `background`.
Colour text_colour_on(Colour background);

/// Mixes `share` (0..1) of `colour` into the three bytes of a pixel.
inline void blend(uint8_t* pixel, Colour colour, float share) {
  const int values[3] = {colour.red, colour.green, colour.blue};
  const int weight = static_cast<int>(share * 256);
  for (int c = 0; c < 3; ++c)
    pixel[c] = static_cast<uint8_t>(pixel[c] + ((weight * (values[c] - pixel[c]) + 128) >> 8));
}

}  // namespace dfine::inline image
