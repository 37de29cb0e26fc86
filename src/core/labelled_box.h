#pragma once
#include <array>
#include <cstdint>

namespace dfine {

/// A box to train on, from the pack to the batch: left, top, right, bottom in pixels of its image.
struct LabelledBox {
  std::array<double, 4> xyxy{};
  int32_t label = 0;  // 0..C-1
};

}  // namespace dfine
