#include "analysis/threshold_curve.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "analysis/short_decimal.h"

namespace dfine::inline analysis {
namespace {

std::optional<double> ratio(int64_t part, int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::optional<double> Counts::precision() const {
  return ratio(true_positives, true_positives + false_positives);
}
std::optional<double> Counts::recall() const {
  return ratio(true_positives, true_positives + false_negatives);
}
std::optional<double> Counts::f1() const {
  return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
}

Counts ThresholdCurve::at_place(size_t place) const {
  return {.true_positives = true_positives[place],
          .false_positives = false_positives[place],
          .false_negatives = positives - true_positives[place]};
}

Counts ThresholdCurve::at(double threshold) const {
  const auto end = std::upper_bound(scores.begin(), scores.end(), threshold, std::greater<>());
  if (end == scores.begin())
    return {.true_positives = 0, .false_positives = 0, .false_negatives = positives};
  return at_place(static_cast<size_t>(end - scores.begin()) - 1);
}

ThresholdCurve threshold_curve(std::span<const ScoredOutcome> outcomes, int64_t positives) {
  ThresholdCurve curve;
  curve.positives = positives;
  int64_t true_positives = 0, false_positives = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    ++(outcomes[i].is_true ? true_positives : false_positives);
    if (i + 1 < outcomes.size() && outcomes[i + 1].score == outcomes[i].score) continue;
    curve.scores.push_back(outcomes[i].score);
    curve.true_positives.push_back(true_positives);
    curve.false_positives.push_back(false_positives);
  }
  return curve;
}

ThresholdCurves threshold_curves(const ScoredOutcomes& outcomes, const Matches& matches) {
  ThresholdCurves curves;
  curves.pooled = threshold_curve(
      outcomes.pooled,
      std::accumulate(matches.positives.begin(), matches.positives.end(), int64_t{0}));
  for (size_t k = 0; k < outcomes.classes.size(); ++k)
    curves.classes.push_back(threshold_curve(outcomes.classes[k], matches.positives[k]));
  return curves;
}

std::optional<size_t> best_place(const ThresholdCurve& curve) {
  // F1 is 2 TP / (TP + FP + positives). Fractions are compared as whole numbers: ties are exact.
  std::optional<size_t> best;
  int64_t best_true = 0, best_whole = 1;
  for (size_t i = 0; i < curve.scores.size(); ++i) {
    const int64_t whole = curve.true_positives[i] + curve.false_positives[i] + curve.positives;
    if (curve.true_positives[i] * best_whole <= best_true * whole) continue;
    best = i;
    best_true = curve.true_positives[i];
    best_whole = whole;
  }
  return best;
}

double threshold_at(const ThresholdCurve& curve, size_t place) {
  const double score = curve.scores[place];
  return place + 1 == curve.scores.size() ? score : short_decimal(curve.scores[place + 1], score);
}

std::optional<BestThreshold> best_threshold(const ThresholdCurve& curve) {
  const auto place = best_place(curve);
  if (!place) return std::nullopt;
  return BestThreshold{.threshold = threshold_at(curve, *place), .counts = curve.at_place(*place)};
}

}  // namespace dfine::inline analysis
