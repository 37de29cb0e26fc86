#include "augment/mosaic.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "image/resize.h"

namespace dfine::inline augment {
namespace {

/// Turn about the canvas's centre, scale and shift: there for boxes, back for pixels.
class Affine {
 public:
  Affine(const MosaicDraw& draw, double translation, int width, int height)
      : centre_x_(width / 2.0), centre_y_(height / 2.0) {
    const double radians = draw.degrees * std::numbers::pi / 180;
    cosine_ = std::cos(radians);
    sine_ = std::sin(radians);
    scale_ = draw.scale;
    shift_x_ = std::round(draw.shift_x * translation * width);
    shift_y_ = std::round(draw.shift_y * translation * height);
  }

  struct Point {
    double x, y;
  };

  Point forward(double x, double y) const {
    x -= centre_x_;
    y -= centre_y_;
    return {scale_ * (cosine_ * x - sine_ * y) + centre_x_ + shift_x_,
            scale_ * (sine_ * x + cosine_ * y) + centre_y_ + shift_y_};
  }

  Point backward(double x, double y) const {
    x -= centre_x_ + shift_x_;
    y -= centre_y_ + shift_y_;
    return {(cosine_ * x + sine_ * y) / scale_ + centre_x_,
            (cosine_ * y - sine_ * x) / scale_ + centre_y_};
  }

  LabelledBox hull(const LabelledBox& box, const Image& canvas) const {
    const auto& [left, top, right, bottom] = box.xyxy;
    const Point corners[] = {forward(left, top), forward(right, top), forward(right, bottom),
                             forward(left, bottom)};
    const auto [least_x, most_x] =
        std::minmax({corners[0].x, corners[1].x, corners[2].x, corners[3].x});
    const auto [least_y, most_y] =
        std::minmax({corners[0].y, corners[1].y, corners[2].y, corners[3].y});
    const auto cut = [](double value, int most) {
      return std::clamp(value, 0.0, static_cast<double>(most));
    };
    return {{cut(least_x, canvas.width), cut(least_y, canvas.height), cut(most_x, canvas.width),
             cut(most_y, canvas.height)},
            box.label};
  }

 private:
  double centre_x_, centre_y_, cosine_, sine_, scale_, shift_x_, shift_y_;
};

/// Every pixel of `out` is that of `canvas` in which its centre falls.
void warp(const Image& canvas, const Affine& affine, uint8_t fill, Image& out) {
  constexpr double kFraction =
      4294967296.0;  // positions along a row are kept in whole 2^-32 pixels
  out.reshape(canvas.width, canvas.height);
  for (int y = 0; y < out.height; ++y) {
    const Affine::Point start = affine.backward(0.5, y + 0.5), next = affine.backward(1.5, y + 0.5);
    auto x_at = static_cast<int64_t>(std::floor(start.x * kFraction)),
         y_at = static_cast<int64_t>(std::floor(start.y * kFraction));
    const auto x_step = static_cast<int64_t>(std::llround((next.x - start.x) * kFraction));
    const auto y_step = static_cast<int64_t>(std::llround((next.y - start.y) * kFraction));
    uint8_t* target = out.row(y);
    for (int x = 0; x < out.width; ++x, target += 3, x_at += x_step, y_at += y_step) {
      const int64_t from_x = x_at >> 32, from_y = y_at >> 32;
      if (from_x >= 0 && from_x < canvas.width && from_y >= 0 && from_y < canvas.height) {
        std::memcpy(target, canvas.row(static_cast<int>(from_y)) + 3 * from_x, 3);
      } else {
        std::memset(target, fill, 3);
      }
    }
  }
}

struct Size {
  int width, height;
};

Size tile_size(const Image& image, int shorter) {
  const auto longer = [&](int64_t numerator, int64_t denominator) {
    return static_cast<int>(std::min<int64_t>(shorter * numerator / denominator, kMaxMosaicTile));
  };
  if (image.width <= image.height) return {shorter, longer(image.height, image.width)};
  return {longer(image.width, image.height), shorter};
}

void paste(const Image& tile, int left, int top, Image& canvas) {
  for (int y = 0; y < tile.height; ++y)
    std::memcpy(canvas.row(top + y) + ptrdiff_t{left} * 3, tile.row(y), tile.row_bytes());
}

}  // namespace

void compose_mosaic(std::span<const AugmentSource> four, const MosaicDraw& draw,
                    const AugmentConfig& config, Image& canvas, AugmentSource& out) {
  std::array<Size, 4> sizes;
  Size largest{0, 0};
  for (size_t i = 0; i < 4; ++i) {
    sizes[i] = tile_size(four[i].image, static_cast<int>(config.mosaic_tile));
    largest = {std::max(largest.width, sizes[i].width), std::max(largest.height, sizes[i].height)};
  }
  const auto fill = static_cast<uint8_t>(config.fill);
  canvas.reshape(2 * largest.width, 2 * largest.height);
  std::fill(canvas.pixels.begin(), canvas.pixels.end(), fill);
  const Affine affine(draw, config.mosaic_translation, canvas.width, canvas.height);
  out.boxes.clear();
  for (size_t i = 0; i < 4; ++i) {
    const int left = i % 2 == 0 ? 0 : largest.width, top = i < 2 ? 0 : largest.height;
    paste(resize_antialias(four[i].image, sizes[i].width, sizes[i].height), left, top, canvas);
    const double x_scale = static_cast<double>(sizes[i].width) / four[i].image.width,
                 y_scale = static_cast<double>(sizes[i].height) / four[i].image.height;
    for (LabelledBox box : four[i].boxes) {
      for (const size_t x : {0u, 2u}) box.xyxy[x] = box.xyxy[x] * x_scale + left;
      for (const size_t y : {1u, 3u}) box.xyxy[y] = box.xyxy[y] * y_scale + top;
      out.boxes.push_back(affine.hull(box, canvas));
    }
  }
  warp(canvas, affine, fill, out.image);
}

}  // namespace dfine::inline augment
