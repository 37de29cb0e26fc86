#pragma once
// Which boxes training sees, and in which form.
#include <array>
#include <optional>

namespace dfine::inline data {

struct NormalisedBox {
  std::array<float, 4> cxcywh{};  // of the part inside the image, relative to its width and height:
                                  // in [0, 1], w and h above 0
  bool clipped = false;           // a part of more than a millionth of a pixel lay outside
};

/// Clips `xywh` (pixels) to the image. Nothing when no area is left: width or height zero or
/// negative (also once rounded to float32), or wholly outside. The official loader clips and drops
/// by the same rule (src/data/dataset/coco_dataset.py: clamp, then keep x2 > x1 and y2 > y1).
std::optional<NormalisedBox> normalise_box(const std::array<double, 4>& xywh, int width,
                                           int height);

}  // namespace dfine::inline data
