#pragma once
// Overlaps of boxes given as {x, y, width, height}. The operations and their order are those of
// bbIou in pycocotools' maskApi.c, so that equal boxes give equal bits.
#include <algorithm>
#include <array>

namespace dfine::inline analysis {

using Xywh = std::array<double, 4>;

/// Intersection over union; with `crowd` over the detection's area alone. As in pycocotools, boxes
/// whose area underflows give NaN.
inline double overlap(const Xywh& detection, const Xywh& box, bool crowd) {
  const double width =
      std::min(detection[2] + detection[0], box[2] + box[0]) - std::max(detection[0], box[0]);
  if (width <= 0) return 0;
  const double height =
      std::min(detection[3] + detection[1], box[3] + box[1]) - std::max(detection[1], box[1]);
  if (height <= 0) return 0;
  const double common = width * height, area = detection[2] * detection[3];
  return common / (crowd ? area : area + box[2] * box[3] - common);
}

}  // namespace dfine::inline analysis
