#pragma once
// The learning-rate finder (Smith, "Cyclical Learning Rates for Training Neural Networks", WACV
// 2017). It shows the loss of a short run whose learning rate rises geometrically.
#include <string>
#include <vector>

namespace dfine::inline tools {

struct LrTrial {
  double lr = 0;
  double loss = 0;      // of one step
  double smoothed = 0;  // see judge_lr_range
};

struct LrRange {
  std::vector<LrTrial> trials;  // in the order of their learning rates
  size_t first = 0;             // that may be a mark
  size_t steepest =
      0;  // where the smoothed loss falls fastest over the logarithm of the learning rate
  size_t lowest = 0;  // where the smoothed loss is lowest
  double noise =
      0;  // standard deviation of the smoothed loss, from the differences of successive losses
  double suggested = 0;  // a tenth of the learning rate with the lowest loss: the customary margin

  /// From the first mark to the lowest loss, and from there to the end.
  double fall() const { return trials[first].smoothed - trials[lowest].smoothed; }
  double rise() const { return trials.back().smoothed - trials[lowest].smoothed; }
  /// Whether the lowest loss means anything: the curve falls to it and rises after it by more than
  /// noise does (4 standard deviations).
  bool decides() const { return fall() > 4 * noise && rise() > 4 * noise; }
};

/// Smooths the losses (weights 0.9^k into the past, normalised) and finds the marks. The first
/// tenth of the trials is never one, because little is averaged there. At least 3 trials.
LrRange judge_lr_range(std::vector<LrTrial> trials);

/// Whether the run that the trials come from has diverged: the smoothed loss is more than 1.5 times
/// the lowest.
bool diverged(const LrRange& range);

/// Three digits: "1.66e-04".
std::string short_lr(double lr);

/// About `rows` of the trials, with the marks, as a table for people.
std::string lr_range_table(const LrRange& range, size_t rows);

/// All trials: "lr,loss,smoothed" with a header line.
std::string lr_range_csv(const LrRange& range);

/// The smoothed losses over the learning rates, on a logarithmic axis, with the marks and the
/// suggestion.
std::string lr_range_svg(const LrRange& range);

}  // namespace dfine::inline tools
