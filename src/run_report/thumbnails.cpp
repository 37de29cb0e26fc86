#include "run_report/thumbnails.h"

#include <algorithm>
#include <cmath>

#include "html/base64.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"

namespace dfine::inline run_report {

Thumbnail thumbnail(std::span<const uint8_t> file) {
  constexpr int kLongSide = 640, kQuality = 78;
  Image image = decode_image(file);
  const ImageSize whole{.height = image.height, .width = image.width};
  const double scale = static_cast<double>(kLongSide) / std::max(image.width, image.height);
  if (scale < 1) {
    const auto scaled = [&](int side) {
      return std::max(1, static_cast<int>(std::lround(scale * side)));
    };
    image = resize_antialias(image, scaled(image.width), scaled(image.height));
  }
  return {whole, "data:image/jpeg;base64," + base64(encode_jpeg(image, kQuality))};
}

}  // namespace dfine::inline run_report
