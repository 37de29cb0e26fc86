#include "analysis/calibration.h"

#include <algorithm>
#include <cmath>

namespace dfine::inline analysis {

Calibration calibrate(std::span<const ScoredOutcome> outcomes) {
  Calibration out;
  constexpr auto kBins = static_cast<double>(kCalibrationBins);
  for (const ScoredOutcome& outcome : outcomes) {
    const double place = std::clamp(std::floor(outcome.score * kBins), 0.0, kBins - 1);
    CalibrationBin& bin = out.bins[static_cast<size_t>(place)];
    ++bin.detections;
    bin.mean_score += outcome.score;
    bin.precision += outcome.is_true ? 1 : 0;
  }
  if (outcomes.empty()) return out;
  double ece = 0;
  for (CalibrationBin& bin : out.bins) {
    if (bin.detections == 0) continue;
    const auto detections = static_cast<double>(bin.detections);
    bin.mean_score /= detections;
    bin.precision /= detections;
    ece += detections / static_cast<double>(outcomes.size()) *
           std::fabs(bin.precision - bin.mean_score);
  }
  out.ece = ece;
  return out;
}

}  // namespace dfine::inline analysis
