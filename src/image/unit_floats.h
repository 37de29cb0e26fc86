#pragma once
// Planes of bytes to interleaved floats from 0 to 1: the layout channels_last of a network's input.
// The loops are portable, for AVX2 and for AVX-512, chosen at run time. All give the same floats.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline image {

/// Writes `out` [pixels, 3] from `planes` [3, pixels]: each byte / 255, rounded to nearest.
using ToUnitFloats = void (*)(const uint8_t* planes, size_t pixels, float* out);

/// The loop for this processor. Single-threaded.
void to_unit_floats(const uint8_t* planes, size_t pixels, float* out);

/// Those that this processor can run: the portable one first, the best one last.
std::vector<ToUnitFloats> usable_unit_float_loops();

}  // namespace dfine::inline image
