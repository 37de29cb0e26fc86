#include "image/blend.h"

#include <cmath>

namespace dfine::inline image {

void blend(uint8_t* into, const uint8_t* other, size_t count, double weight) {
  constexpr uint32_t kOne = 1 << 16;
  const auto mine = static_cast<uint32_t>(std::lround(weight * kOne));
  for (size_t i = 0; i < count; ++i)
    into[i] = static_cast<uint8_t>((into[i] * mine + other[i] * (kOne - mine) + kOne / 2) / kOne);
}

}  // namespace dfine::inline image
