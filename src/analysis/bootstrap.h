#pragma once
// How certain the threshold with the best F1 is: 95 % bootstrap intervals over images (Efron,
// "Bootstrap methods: another look at the jackknife", 1979).
#include <optional>

#include "analysis/threshold_curve.h"

namespace dfine::inline analysis {

struct BootstrapOptions {
  int resamples = 1000;  // 0: no intervals
  uint64_t seed = 0;
};

/// The threshold lies within it in 95 % of the resamples.
struct Interval {
  double low = 0, high = 0;
  int resamples = 0;  // those with a true positive; the others have no best threshold
};

struct BootstrapIntervals {
  std::optional<Interval> pooled;
  std::vector<std::optional<Interval>> classes;
};

/// A resample draws as many images as there are, with replacement, and takes its best threshold by
/// the rule of best_place(). The interval goes from the 2.5 % to the 97.5 % quantile: of n sorted
/// values, those numbered ceil(0.025 n) and ceil(0.975 n), from 1. Nothing without a true positive.
/// The images of resample r are a pure function of (seed, r): threads change nothing.
BootstrapIntervals bootstrap_intervals(const Inputs& in, const Matches& matches,
                                       const ScoredOutcomes& outcomes,
                                       const ThresholdCurves& curves,
                                       const BootstrapOptions& options, ThreadPool& pool);

}  // namespace dfine::inline analysis
