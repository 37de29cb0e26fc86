#pragma once
#include <span>

namespace dfine::inline metrics {

/// numpy.mean of a contiguous float64 array to the last bit: the sum is pairwise (blocks of at most
/// 128 values with eight running sums). NaN for no values.
double numpy_mean(std::span<const double> values);

}  // namespace dfine::inline metrics
