#include "data/box_policy.h"

#include <algorithm>

namespace dfine::inline data {

std::optional<std::array<double, 4>> clip_box(const std::array<double, 4>& xywh, int width,
                                              int height) {
  const auto [x, y, w, h] = xywh;
  const auto inside = [](double coordinate, int side) {
    return std::clamp(coordinate, 0.0, static_cast<double>(side));
  };
  const std::array<double, 4> box{inside(x, width), inside(y, height), inside(x + w, width),
                                  inside(y + h, height)};
  const auto sides = normalised(box, width, height);
  if (!(sides[2] > 0) || !(sides[3] > 0)) return std::nullopt;
  return box;
}

std::array<float, 4> normalised(const std::array<double, 4>& xyxy, int width, int height) {
  const auto [left, top, right, bottom] = xyxy;
  return {static_cast<float>((left + right) / 2 / width),
          static_cast<float>((top + bottom) / 2 / height),
          static_cast<float>((right - left) / width), static_cast<float>((bottom - top) / height)};
}

bool reaches_outside(const std::array<double, 4>& xywh, int width, int height) {
  constexpr double kRounding =
      1e-6;  // x + w of a box that touches the border may exceed it by rounding
  const auto [x, y, w, h] = xywh;
  return x < -kRounding || y < -kRounding || x + w > width + kRounding ||
         y + h > height + kRounding;
}

}  // namespace dfine::inline data
