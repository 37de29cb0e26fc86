#include "data/box_policy.h"

#include <algorithm>

namespace dfine::inline data {
namespace {

constexpr double kRoundingPixels =
    1e-6;  // x + w of a box that touches the border may exceed it by rounding

/// Clips [begin, begin + length] to [0, limit]; true when a part lay outside.
bool clip(double begin, double length, double limit, double& low, double& high) {
  low = std::clamp(begin, 0.0, limit);
  high = std::clamp(begin + length, 0.0, limit);
  return begin < -kRoundingPixels || begin + length > limit + kRoundingPixels;
}

}  // namespace

std::optional<NormalisedBox> normalise_box(const std::array<double, 4>& xywh, int width,
                                           int height) {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  NormalisedBox box;
  const bool outside_x = clip(xywh[0], xywh[2], width, x1, x2);
  const bool outside_y = clip(xywh[1], xywh[3], height, y1, y2);
  box.clipped = outside_x || outside_y;
  box.cxcywh = {static_cast<float>((x1 + x2) / 2 / width),
                static_cast<float>((y1 + y2) / 2 / height), static_cast<float>((x2 - x1) / width),
                static_cast<float>((y2 - y1) / height)};
  if (!(box.cxcywh[2] > 0) || !(box.cxcywh[3] > 0)) return std::nullopt;
  return box;
}

}  // namespace dfine::inline data
