#pragma once
// The triangle filter of an antialiased resize along one axis, as fixed-point weights.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline image {

/// Output position i is sum_k weight(i)[k] * input[first[i] + k] / 2^precision, rounded to nearest;
/// k < count[i].
struct AxisWeights {
  int precision = 0;  // fractional bits: as many as the largest weight leaves in 16 bits
  int stride =
      0;  // weights kept for each output: the largest count, rounded up to a multiple of four
  std::vector<int> first;       // [outputs]
  std::vector<int> count;       // [outputs], at least 1
  std::vector<int16_t> values;  // [outputs, stride], zero from count[i] on

  const int16_t* weight(int i) const {
    return values.data() + static_cast<size_t>(i) * static_cast<size_t>(stride);
  }
};

/// Weights from `inputs` to `outputs` pixels: half-pixel centres, triangle of half-width max(1,
/// inputs / outputs) input pixels, cut at the borders and normalised.
AxisWeights triangle_weights(int inputs, int outputs);

/// Leaves only outputs [from, to), and counts inputs from `first_input`.
void keep_outputs(AxisWeights& axis, int from, int to, int first_input);

}  // namespace dfine::inline image
