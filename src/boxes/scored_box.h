#pragma once
#include <array>
#include <cstdint>

namespace dfine::inline boxes {

struct ScoredBox {
  std::array<float, 4> xyxy{};  // left, top, right, bottom in pixels
  float score = 0;
  int64_t label = 0;  // 0..C-1
};

}  // namespace dfine::inline boxes
