#include "metrics/numpy_mean.h"

#include <array>
#include <limits>

namespace dfine::inline metrics {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kBlock = 128;

double block_sum(std::span<const double> v) {
  if (v.size() < kLanes) {
    double sum = 0;
    for (const double x : v) sum += x;
    return sum;
  }
  std::array<double, kLanes> lane{};
  size_t i = 0;
  for (; i + kLanes <= v.size(); i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) lane[k] += v[i + k];
  }
  double sum =
      ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  for (; i < v.size(); ++i) sum += v[i];
  return sum;
}

double pairwise_sum(std::span<const double> v) {
  if (v.size() <= kBlock) return block_sum(v);
  const size_t left = v.size() / 2 / kLanes * kLanes;
  return pairwise_sum(v.first(left)) + pairwise_sum(v.subspan(left));
}

}  // namespace

double numpy_mean(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return pairwise_sum(values) / static_cast<double>(values.size());
}

}  // namespace dfine::inline metrics
