#include "image/photometric.h"

#include "image/photometric_kernels.h"

namespace dfine {
namespace {

/// Sum of the greys of the part's pixels afterwards.
uint64_t apply(const ColourPass& pass, Image& image, const Window& part) {
  const PhotometricKernels& kernels = best_photometric_kernels();
  uint64_t sum = 0;
  for (int y = part.top; y < part.bottom(); ++y)
    sum += kernels.apply(pass, image.row(y) + ptrdiff_t{part.left} * 3, static_cast<size_t>(part.width));
  return sum;
}

}  // namespace

void distort_colours(Image& image, const Photometric& how, const Window& part) {
  if (part.empty()) return;
  const ColourPass colours{.saturation = how.saturation.value_or(1), .hue = how.hue.value_or(0)};
  ColourPass before = how.contrast && how.contrast_first ? ColourPass{} : colours;
  before.gain = how.brightness.value_or(1);
  if (!how.contrast) {
    if (before.changes()) apply(before, image, part);
    return;
  }
  // The mean needs every pixel as it is before contrast.
  const uint64_t greys = apply(before, image, {0, 0, image.width, image.height});
  const auto mean = static_cast<float>(static_cast<double>(greys) / (static_cast<double>(image.width) * image.height));
  ColourPass after = how.contrast_first ? colours : ColourPass{};
  after.gain = *how.contrast;
  after.base = mean;
  apply(after, image, part);
}

}  // namespace dfine
