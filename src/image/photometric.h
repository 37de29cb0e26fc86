#pragma once
// Brightness, contrast, saturation and hue of 8-bit pictures, as torchvision 0.29's functional ops
// define them on uint8 tensors. The arithmetic is 32-bit float, cut back to whole numbers after
// each op. Grey is 0.2989 red + 0.587 green + 0.114 blue, cut to a whole number.
#include <optional>

#include "image/image.h"
#include "image/window.h"

namespace dfine::inline image {

/// What is done, in this order; contrast comes second or last. Unset: not at all.
struct Photometric {
  std::optional<float> brightness{};  // factor, >= 0
  std::optional<float> contrast{};    // factor of the distance from the picture's mean grey, >= 0
  bool contrast_first = false;        // before saturation and hue
  std::optional<float> saturation{};  // factor of the distance from the pixel's grey, >= 0
  std::optional<float> hue{};         // turns of the colour circle, from -0.5 to 0.5
};

/// Changes the pixels of `part`, which lies inside the picture; those outside are left in any
/// state. Contrast is that of the whole picture all the same.
void distort_colours(Image& image, const Photometric& how, const Window& part);

}  // namespace dfine::inline image
