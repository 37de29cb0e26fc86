#include "augment/boxes.h"

#include <algorithm>

namespace dfine::inline augment {
namespace {

struct Extent {
  double left, top, right, bottom;
  bool at_least(double size, double width, double height) const {
    return (right - left) * width >= size && (bottom - top) * height >= size;
  }
};

Extent turned(Extent box, int quarter_turns) {
  for (int i = 0; i < quarter_turns; ++i) box = {box.top, 1 - box.right, box.bottom, 1 - box.left};
  return box;
}

}  // namespace

LabelledBox labelled_box(const std::array<float, 4>& cxcywh, int32_t label, int width, int height) {
  const double x = cxcywh[0], y = cxcywh[1], half_width = cxcywh[2] / 2.0,
               half_height = cxcywh[3] / 2.0;
  const auto pixel = [](double share, int side) {
    return static_cast<float>(std::clamp(share, 0.0, 1.0) * side);
  };
  return {{pixel(x - half_width, width), pixel(y - half_height, height),
           pixel(x + half_width, width), pixel(y + half_height, height)},
          label};
}

bool has_centre_in(const LabelledBox& box, const Window& window) {
  const float x = 0.5F * (box.xyxy[0] + box.xyxy[2]), y = 0.5F * (box.xyxy[1] + box.xyxy[3]);
  return static_cast<float>(window.left) < x && x < static_cast<float>(window.right()) &&
         static_cast<float>(window.top) < y && y < static_cast<float>(window.bottom());
}

void place_boxes(std::span<const LabelledBox> boxes, const Placement& placement, double min_size,
                 std::vector<TargetBox>& out) {
  constexpr double kRounding = 1e-3;
  const Window& window = placement.window;
  const double least = std::max(min_size - kRounding, 1e-6);
  for (const LabelledBox& box : boxes) {
    const auto share = [](double pixel, int from, int side) {
      return std::clamp((pixel - from) / side, 0.0, 1.0);
    };
    Extent extent{share(box.xyxy[0], window.left, window.width),
                  share(box.xyxy[1], window.top, window.height),
                  share(box.xyxy[2], window.left, window.width),
                  share(box.xyxy[3], window.top, window.height)};
    if (!extent.at_least(least, window.width, window.height)) continue;
    extent = turned(extent, placement.quarter_turns);
    if (placement.flip) extent = {1 - extent.right, extent.top, 1 - extent.left, extent.bottom};
    if (!extent.at_least(least, placement.width, placement.height)) continue;
    out.push_back({{static_cast<float>((extent.left + extent.right) / 2),
                    static_cast<float>((extent.top + extent.bottom) / 2),
                    static_cast<float>(extent.right - extent.left),
                    static_cast<float>(extent.bottom - extent.top)},
                   box.label});
  }
}

}  // namespace dfine::inline augment
