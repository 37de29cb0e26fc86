#include "analysis/details.h"

#include <thread>
#include <utility>

namespace dfine::inline analysis {
namespace {

/// Workers besides none: with one thread the caller does the work.
int workers(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  return threads > 1 ? threads : 0;
}

ScoreDetails score_details(std::span<const ScoredOutcome> outcomes, ThresholdCurve curve,
                           std::optional<Interval> interval) {
  ScoreDetails out{.curve = std::move(curve),
                   .best = {},
                   .interval = interval,
                   .calibration = calibrate(outcomes)};
  out.best = best_threshold(out.curve);
  return out;
}

}  // namespace

Details analyse(const GroundTruth& truth, std::span<const Detection> detections,
                const AnalysisOptions& options) {
  ThreadPool pool(workers(options.threads));
  const Inputs in = make_inputs(truth, detections);
  const Matches matches = match_detections(in, options.match, pool);
  const ScoredOutcomes outcomes = scored_outcomes(in, matches, pool);
  ThresholdCurves curves = threshold_curves(outcomes, matches);
  const BootstrapIntervals intervals =
      bootstrap_intervals(in, matches, outcomes, curves, options.bootstrap, pool);

  Details out;
  out.options = options;
  out.categories = in.groups.categories;
  out.pooled = score_details(outcomes.pooled, std::move(curves.pooled), intervals.pooled);
  for (size_t k = 0; k < in.classes(); ++k) {
    out.classes.push_back(
        score_details(outcomes.classes[k], std::move(curves.classes[k]), intervals.classes[k]));
  }

  const ImageLists lists(in);
  constexpr double kWithoutBest = 0.5;
  const double threshold = options.confusion_threshold.value_or(
      out.pooled.best ? out.pooled.best->threshold : kWithoutBest);
  out.confusion = confusion_matrix(in, matches,
                                   claim_boxes(in, lists, matches, options.match, pool), threshold);
  out.errors = error_kinds(in, lists, pool);
  return out;
}

BestThresholds best_thresholds(const GroundTruth& truth, std::span<const Detection> detections,
                               const MatchOptions& options, int threads) {
  ThreadPool pool(workers(threads));
  const Inputs in = make_inputs(truth, detections);
  const Matches matches = match_detections(in, options, pool);
  const ThresholdCurves curves = threshold_curves(scored_outcomes(in, matches, pool), matches);
  BestThresholds out{
      .categories = in.groups.categories, .pooled = best_threshold(curves.pooled), .classes = {}};
  for (const ThresholdCurve& curve : curves.classes) out.classes.push_back(best_threshold(curve));
  return out;
}

}  // namespace dfine::inline analysis
