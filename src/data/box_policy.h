#pragma once
// Which boxes training sees, and in which form.
#include <array>
#include <optional>

namespace dfine::inline data {

/// The part of `xywh` (pixels) inside the image: left, top, right, bottom. Nothing when no area is
/// left: width or height zero or negative (also once divided by the image's and rounded to
/// float32), or wholly outside. The official loader clips and drops by the same rule
/// (src/data/dataset/coco_dataset.py: clamp, then keep x2 > x1 and y2 > y1).
std::optional<std::array<double, 4>> clip_box(const std::array<double, 4>& xywh, int width,
                                              int height);

/// Centre, width and height relative to the image's: for a clipped box in [0, 1], w and h above 0.
std::array<float, 4> normalised(const std::array<double, 4>& xyxy, int width, int height);

/// Whether a part of more than a millionth of a pixel lies outside of the image.
bool reaches_outside(const std::array<double, 4>& xywh, int width, int height);

}  // namespace dfine::inline data
