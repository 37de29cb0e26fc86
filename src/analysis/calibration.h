#pragma once
// Whether scores are probabilities: the expected calibration error (ECE). Guo et al., "On
// calibration of modern neural networks", 2017, define it with the accuracy of a classifier. Here
// the precision of detections is in its place.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "analysis/scored_outcomes.h"

namespace dfine::inline analysis {

inline constexpr size_t kCalibrationBins = 15;

struct CalibrationBin {
  int64_t detections = 0;
  double mean_score = 0, precision = 0;  // 0 in an empty bin
};

struct Calibration {
  std::array<CalibrationBin, kCalibrationBins> bins{};
  /// Sum over the bins of detections / all detections * |precision - mean score|; nothing without
  /// detections.
  std::optional<double> ece;
};

/// Bin b has the scores with floor(15 * score) = b. Scores of 1 and more are in the last bin,
/// negative ones in the first.
Calibration calibrate(std::span<const ScoredOutcome> outcomes);

}  // namespace dfine::inline analysis
