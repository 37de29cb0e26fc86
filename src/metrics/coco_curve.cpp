#include "metrics/coco_curve.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "metrics/radix_sort.h"

namespace dfine::inline metrics {

CurveBuilder::CurveBuilder(const CocoParams& params, std::span<const MatchOutcomes> parts)
    : params_(params), hits_(params.ious.size()) {
  size_t outcomes = 0, bits = 0;
  for (const MatchOutcomes& part : parts) {
    outcomes += part.list.size();
    bits += part.bits.size();
  }
  outcomes_.reserve(outcomes);
  bits_.reserve(bits);
  for (const MatchOutcomes& part : parts) {
    const auto begin = static_cast<uint32_t>(bits_.size());
    for (MatchOutcome outcome : part.list) {
      if ((outcome.bits & MatchOutcome::kUnmatched) == 0) outcome.bits += begin;
      outcomes_.push_back(outcome);
    }
    bits_.insert(bits_.end(), part.bits.begin(), part.bits.end());
  }
  std::vector<MatchOutcome> spare;
  radix_sort(outcomes_, spare, [](const MatchOutcome& o) { return descending_key(o.score); });
}

void CurveBuilder::start_area(size_t area, int64_t positives) {
  area_ = area;
  total_ = static_cast<double>(positives);
  size_t reached = 1;  // recall 0 is reached at the first detection
  for (size_t r = 0; r < kCocoRecalls; ++r) {
    while (static_cast<double>(reached) / total_ < kCocoRecallThresholds[r]) ++reached;
    needed_[r] = reached;
  }
}

// Between two true positives precision only falls, and recall first reaches a threshold above 0 at
// a true positive. So the interpolated curve needs only the values at true positives.
double CurveBuilder::find_hits(size_t most) {
  const auto ious = static_cast<uint32_t>(params_.ious.size());
  const auto all_ious = static_cast<IouBits>((uint64_t{1} << ious) - 1);
  const MatchOutcome* first = nullptr;
  int64_t counted = 0;  // detections, at all thresholds but those in `uncounted`
  std::array<int64_t, kMostCocoIous> uncounted{};
  for (auto& hits : hits_) hits.clear();

  for (const MatchOutcome& outcome : outcomes_) {
    if (outcome.rank >= most) continue;
    if (first == nullptr) first = &outcome;
    if ((outcome.bits & MatchOutcome::kUnmatched) != 0) {
      counted += (outcome.bits >> area_) & 1;
      continue;
    }
    const MatchBits& bits = bits_[outcome.bits];
    const IouBits hit = bits.true_positive[area_],
                  neither = all_ious & ~(hit | bits.false_positive[area_]);
    if (neither == all_ious) continue;
    ++counted;
    for (IouBits b = neither; b != 0; b &= b - 1)
      ++uncounted[static_cast<size_t>(std::countr_zero(b))];
    for (IouBits b = hit; b != 0; b &= b - 1) {
      const auto t = static_cast<size_t>(std::countr_zero(b));
      auto& hits = hits_[t];
      const double tp = static_cast<double>(hits.size() + 1),
                   fp = static_cast<double>(counted - uncounted[t]) - tp;
      hits.push_back({.precision = tp / (fp + tp + std::numeric_limits<double>::epsilon()),
                      .score = outcome.score});
    }
  }
  return first == nullptr ? 0 : first->score;
}

void CurveBuilder::build(size_t limit, const CurveOutput& out) {
  const double first_score = find_hits(params_.limits[limit]);
  for (size_t t = 0; t < hits_.size(); ++t) {
    auto& hits = hits_[t];
    out.recall[t] = static_cast<double>(hits.size()) / total_;
    for (size_t i = hits.size(); i-- > 1;)
      hits[i - 1].precision = std::max(hits[i - 1].precision, hits[i].precision);

    const auto precision = out.precision.subspan(t * kCocoRecalls, kCocoRecalls),
               scores = out.scores.subspan(t * kCocoRecalls, kCocoRecalls);
    for (size_t r = 0; r < kCocoRecalls; ++r) {
      const bool is_reached = needed_[r] <= hits.size();
      precision[r] = is_reached ? hits[needed_[r] - 1].precision : 0;
      scores[r] = is_reached ? hits[needed_[r] - 1].score : 0;
    }
    scores[0] = first_score;
  }
}

}  // namespace dfine::inline metrics
