#pragma once
// The detections that count, by descending score: what curves, intervals and calibration go over.
#include <cstdint>
#include <vector>

#include "analysis/matches.h"

namespace dfine::inline analysis {

struct ScoredOutcome {
  double score;
  uint32_t image;
  bool is_true;  // a true positive, else a false one
};

struct ScoredOutcomes {
  std::vector<ScoredOutcome> pooled;                // of all classes
  std::vector<std::vector<ScoredOutcome>> classes;  // [classes]
};

/// By descending score; equal scores in no particular order.
ScoredOutcomes scored_outcomes(const Inputs& in, const Matches& matches, ThreadPool& pool);

}  // namespace dfine::inline analysis
