#include "image/photometric.h"

#include <algorithm>

#include "image/photometric_kernels.h"

namespace dfine::inline image {
namespace {

/// Rows of a picture that a kernel may take at once.
size_t rows_at_once(size_t width) {
  return std::max<size_t>(1, (size_t{1} << 24) / width);
}

/// Calls work(rows) for the rows of `part`, as many at once as a kernel may take.
template <class Work>
void for_rows(Image& image, const Window& part, Work work) {
  const auto width = static_cast<size_t>(part.width);
  for (size_t y = 0, all = static_cast<size_t>(part.height), next; y < all; y = next) {
    next = std::min(all, y + rows_at_once(width));
    work(PixelRows{image.row(part.top + static_cast<int>(y)) + ptrdiff_t{part.left} * 3, width,
                   next - y, image.row_bytes()});
  }
}

void apply(const ColourPass& pass, Image& image, const Window& part) {
  for_rows(image, part,
           [&](const PixelRows& rows) { best_photometric_kernels().rows(pass, rows); });
}

/// The mean of the whole picture's greys afterwards.
float apply_and_average(const ColourPass& pass, Image& image) {
  uint64_t greys = 0;
  for_rows(image, {0, 0, image.width, image.height}, [&](const PixelRows& rows) {
    greys += best_photometric_kernels().rows_and_sum(pass, rows);
  });
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
