#pragma once
// Precision, recall and F1 over the score threshold, and the threshold with the best F1.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/scored_outcomes.h"

namespace dfine::inline analysis {

/// Over the detections with score >= a threshold.
struct Counts {
  int64_t true_positives = 0, false_positives = 0, false_negatives = 0;

  /// TP / (TP + FP); nothing without detections.
  std::optional<double> precision() const;
  /// TP / (TP + FN); nothing without boxes.
  std::optional<double> recall() const;
  /// 2 TP / (2 TP + FP + FN): the harmonic mean of both; nothing without detections and boxes.
  std::optional<double> f1() const;
  bool operator==(const Counts&) const = default;
};

/// Exact at every threshold: one point for each distinct score.
struct ThresholdCurve {
  int64_t positives = 0;                                 // boxes that count
  std::vector<double> scores;                            // distinct, descending
  std::vector<int64_t> true_positives, false_positives;  // [scores] with this score or a higher

  /// `place` into the scores.
  Counts at_place(size_t place) const;
  /// Detections with score >= threshold.
  Counts at(double threshold) const;
};

ThresholdCurve threshold_curve(std::span<const ScoredOutcome> outcomes, int64_t positives);

struct ThresholdCurves {
  ThresholdCurve pooled;  // one threshold for all classes; counts are sums over the classes
  std::vector<ThresholdCurve> classes;
};

ThresholdCurves threshold_curves(const ScoredOutcomes& outcomes, const Matches& matches);

struct BestThreshold {
  double threshold = 0;
  Counts counts;
};

/// Place of the score with the highest F1, of equal F1 the highest score; nothing without a true
/// positive.
std::optional<size_t> best_place(const ThresholdCurve& curve);

/// What stands for "this score and higher": the shortest decimal above the next lower score, so
/// that `score >= threshold` keeps the same detections. The lowest score stands for itself.
double threshold_at(const ThresholdCurve& curve, size_t place);

std::optional<BestThreshold> best_threshold(const ThresholdCurve& curve);

}  // namespace dfine::inline analysis
