#include "metrics/coco_curve.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace dfine::inline metrics {

void sort_by_score(std::span<const MatchOutcome> outcomes, std::vector<MatchOutcome>& sorted) {
  std::vector<std::pair<double, uint32_t>> keys(outcomes.size());
  for (uint32_t i = 0; i < keys.size(); ++i) keys[i] = {outcomes[i].score, i};
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  sorted.resize(outcomes.size());
  for (size_t i = 0; i < keys.size(); ++i) sorted[i] = outcomes[keys[i].second];
}

// Between two true positives precision only falls, and recall first reaches a threshold above 0 at
// a true positive. So the interpolated curve needs only the values at true positives. Recall 0 is
// reached at the first detection, whatever became of it.
void CurveBuilder::build(std::span<const MatchOutcome> sorted, size_t area, size_t limit,
                         int64_t positives, const CurveOutput& out) {
  const size_t most = kCocoDetectionLimits[limit];
  const double total = static_cast<double>(positives);
  const MatchOutcome* first = nullptr;
  int64_t false_at_all = 0;  // false positives at every threshold: the great majority, counted once
  std::array<int64_t, kCocoIous> false_at{};
  for (auto& hits : hits_) hits.clear();

  for (const MatchOutcome& outcome : sorted) {
    if (outcome.rank >= most) continue;
    if (first == nullptr) first = &outcome;
    if (outcome.false_positive[area] == kAllIous) {
      ++false_at_all;
      continue;
    }
    for (unsigned bits = outcome.false_positive[area]; bits != 0; bits &= bits - 1)
      ++false_at[static_cast<size_t>(std::countr_zero(bits))];
    for (unsigned bits = outcome.true_positive[area]; bits != 0; bits &= bits - 1) {
      const auto t = static_cast<size_t>(std::countr_zero(bits));
      const double tp = static_cast<double>(hits_[t].size() + 1),
                   fp = static_cast<double>(false_at_all + false_at[t]);
      hits_[t].push_back({.precision = tp / (fp + tp + std::numeric_limits<double>::epsilon()),
                          .score = outcome.score});
    }
  }

  for (size_t t = 0; t < kCocoIous; ++t) {
    auto& hits = hits_[t];
    out.recall[t] = static_cast<double>(hits.size()) / total;
    for (size_t i = hits.size(); i-- > 1;)
      hits[i - 1].precision = std::max(hits[i - 1].precision, hits[i].precision);

    const auto precision = out.precision.subspan(t * kCocoRecalls, kCocoRecalls),
               scores = out.scores.subspan(t * kCocoRecalls, kCocoRecalls);
    precision[0] = hits.empty() ? 0 : hits[0].precision;
    scores[0] = first == nullptr ? 0 : first->score;
    size_t reached = 1;  // true positives
    for (size_t r = 1; r < kCocoRecalls; ++r) {
      while (reached <= hits.size() &&
             static_cast<double>(reached) / total < kCocoRecallThresholds[r])
        ++reached;
      const bool is_reached = reached <= hits.size();
      precision[r] = is_reached ? hits[reached - 1].precision : 0;
      scores[r] = is_reached ? hits[reached - 1].score : 0;
    }
  }
}

}  // namespace dfine::inline metrics
