#include "image/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace dfine::inline image {
namespace {

/// Half goes up, by adding it first: in double precision the reference does the same. What is below
/// zero stays at most zero, but need not become the nearest.
int round_half_up(double value) {
  return static_cast<int>(value + 0.5);  // NOLINT(bugprone-incorrect-roundings)
}

}  // namespace

AxisWeights triangle_weights(int inputs, int outputs) {
  const double scale = static_cast<double>(inputs) / outputs;
  const double radius = std::max(scale, 1.0);
  const auto n = static_cast<size_t>(outputs);

  AxisWeights axis;
  axis.first.resize(n);
  axis.count.resize(n);
  for (size_t i = 0; i < n; ++i) {
    const double centre = scale * (static_cast<double>(i) + 0.5);
    axis.first[i] = std::max(0, round_half_up(centre - radius));
    axis.count[i] = std::min(inputs, round_half_up(centre + radius)) - axis.first[i];
  }
  const auto stride =
      static_cast<size_t>((*std::max_element(axis.count.begin(), axis.count.end()) + 3) / 4 * 4);
  axis.stride = static_cast<int>(stride);

  std::vector<double> exact(n * stride, 0.0);  // [outputs, stride]
  for (size_t i = 0; i < n; ++i) {
    double* const row = exact.data() + i * stride;
    const double centre = scale * (static_cast<double>(i) + 0.5);
    double total = 0;
    for (int k = 0; k < axis.count[i]; ++k) {
      const double distance = std::abs((axis.first[i] + k - centre + 0.5) * (1.0 / radius));
      row[k] = std::max(0.0, 1.0 - distance);
      total += row[k];
    }
    for (int k = 0; k < axis.count[i]; ++k) row[k] /= total;
  }

  const double largest = *std::max_element(exact.begin(), exact.end());
  while (axis.precision < 22 && round_half_up(largest * (1 << (axis.precision + 1))) < 1 << 15)
    ++axis.precision;
  axis.values.resize(exact.size());
  for (size_t j = 0; j < exact.size(); ++j)
    axis.values[j] = static_cast<int16_t>(round_half_up(exact[j] * (1 << axis.precision)));
  return axis;
}

void keep_outputs(AxisWeights& axis, int from, int to, int first_input) {
  const auto keep = [&](auto& values, int each) {
    values.erase(values.begin() + ptrdiff_t{to} * each, values.end());
    values.erase(values.begin(), values.begin() + ptrdiff_t{from} * each);
  };
  keep(axis.first, 1);
  keep(axis.count, 1);
  keep(axis.values, axis.stride);
  for (int& first : axis.first) first -= first_input;
}

}  // namespace dfine::inline image
