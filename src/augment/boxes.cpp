#include "augment/boxes.h"

#include <algorithm>

namespace dfine::inline augment {
namespace {

/// In shares of the image's sides.
struct Extent {
  double left, top, right, bottom;

  bool at_least(double size, int width, int height) const {
    const double x = (right - left) * width, y = (bottom - top) * height;
    const auto least = static_cast<float>(size);
    return x > 0 && y > 0 && static_cast<float>(x) >= least && static_cast<float>(y) >= least;
  }
};

Extent turned(Extent box, int quarter_turns) {
  for (int i = 0; i < quarter_turns; ++i) box = {box.top, 1 - box.right, box.bottom, 1 - box.left};
  return box;
}

}  // namespace

bool has_centre_in(const LabelledBox& box, const Window& window) {
  const double x = (box.xyxy[0] + box.xyxy[2]) / 2, y = (box.xyxy[1] + box.xyxy[3]) / 2;
  return window.left < x && x < window.right() && window.top < y && y < window.bottom();
}

void place_boxes(std::span<const LabelledBox> boxes, const Placement& placement, double min_size,
                 std::vector<LabelledBox>& out) {
  const auto& [window, quarter_turns, flip, width, height] = placement;
  for (const LabelledBox& box : boxes) {
    const auto share = [](double pixel, int from, int side) {
      return std::clamp((pixel - from) / side, 0.0, 1.0);
    };
    Extent extent{share(box.xyxy[0], window.left, window.width),
                  share(box.xyxy[1], window.top, window.height),
                  share(box.xyxy[2], window.left, window.width),
                  share(box.xyxy[3], window.top, window.height)};
    if (!extent.at_least(min_size, window.width, window.height)) continue;
    extent = turned(extent, quarter_turns);
    if (flip) extent = {1 - extent.right, extent.top, 1 - extent.left, extent.bottom};
    if (!extent.at_least(min_size, width, height)) continue;
    out.push_back(
        {{extent.left * width, extent.top * height, extent.right * width, extent.bottom * height},
         box.label});
  }
}

}  // namespace dfine::inline augment
