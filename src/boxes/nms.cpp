#include "boxes/nms.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace dfine::inline boxes {
namespace {

/// In float and in the order of torchvision's CPU kernel, so that equal boxes give equal bits.
float area(const ScoredBox& box) {
  return (box.xyxy[2] - box.xyxy[0]) * (box.xyxy[3] - box.xyxy[1]);
}

float iou(const ScoredBox& kept, const ScoredBox& box) {
  const float width = std::min(kept.xyxy[2], box.xyxy[2]) - std::max(kept.xyxy[0], box.xyxy[0]);
  const float height = std::min(kept.xyxy[3], box.xyxy[3]) - std::max(kept.xyxy[1], box.xyxy[1]);
  const float common = std::max(0.0F, width) * std::max(0.0F, height);
  return common / (area(kept) + area(box) - common);  // NaN without area: nothing is dropped
}

}  // namespace

std::vector<size_t> nms(std::span<const ScoredBox> boxes, double iou_threshold) {
  std::vector<size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(), [&](size_t i) { return boxes[i].score; });
  std::vector<size_t> kept;
  std::map<int64_t, std::vector<size_t>> kept_of_class;
  for (const size_t i : order) {
    auto& rivals = kept_of_class[boxes[i].label];
    if (std::ranges::any_of(rivals,
                            [&](size_t k) { return iou(boxes[k], boxes[i]) > iou_threshold; }))
      continue;
    rivals.push_back(i);
    kept.push_back(i);
  }
  return kept;
}

}  // namespace dfine::inline boxes
