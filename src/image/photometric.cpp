#include "image/photometric.h"

#include "image/photometric_kernels.h"

namespace dfine::inline image {
namespace {

void apply(const ColourPass& pass, Image& image, const Window& part) {
  const PhotometricKernels& kernels = best_photometric_kernels();
  for (int y = part.top; y < part.bottom(); ++y)
    kernels.apply(pass, image.row(y) + ptrdiff_t{part.left} * 3, static_cast<size_t>(part.width));
}

/// The mean of the whole picture's greys afterwards.
float apply_and_average(const ColourPass& pass, Image& image) {
  const PhotometricKernels& kernels = best_photometric_kernels();
  uint64_t greys = 0;
  for (int y = 0; y < image.height; ++y)
    greys += kernels.apply_and_sum(pass, image.row(y), static_cast<size_t>(image.width));
  return static_cast<float>(static_cast<double>(greys) /
                            (static_cast<double>(image.width) * image.height));
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
  ColourPass after = how.contrast_first ? colours : ColourPass{};
  after.gain = *how.contrast;
  after.base = apply_and_average(before, image);  // needs every pixel as it is before contrast
  apply(after, image, part);
}

}  // namespace dfine::inline image
