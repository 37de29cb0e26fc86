#pragma once
#include <cstddef>
#include <cstdint>

namespace dfine::inline image {

/// into[i] * weight + other[i] * (1 - weight), rounded to nearest; weight in [0, 1], taken to 16
/// bits.
void blend(uint8_t* into, const uint8_t* other, size_t count, double weight);

}  // namespace dfine::inline image
