#include "analysis/scored_outcomes.h"

#include <algorithm>

namespace dfine::inline analysis {

ScoredOutcomes scored_outcomes(const Inputs& in, const Matches& matches, ThreadPool& pool) {
  ScoredOutcomes out;
  out.classes.resize(in.classes());
  for (size_t i = 0; i < in.detections.size(); ++i) {
    const Outcome outcome = matches.detections[i].outcome;
    if (outcome != Outcome::kTruePositive && outcome != Outcome::kFalsePositive) continue;
    const ScoredOutcome scored{.score = in.detections[i].score,
                               .image = in.detection_image[i],
                               .is_true = outcome == Outcome::kTruePositive};
    out.pooled.push_back(scored);
    out.classes[in.detection_class[i]].push_back(scored);
  }
  parallel_ranges(pool, out.classes.size() + 1, 1, [&](size_t list, size_t) {
    auto& outcomes = list == 0 ? out.pooled : out.classes[list - 1];
    std::sort(outcomes.begin(), outcomes.end(),
              [](const ScoredOutcome& a, const ScoredOutcome& b) { return a.score > b.score; });
  });
  return out;
}

}  // namespace dfine::inline analysis
