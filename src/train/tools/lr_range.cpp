#include "train/tools/lr_range.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline tools {
namespace {

constexpr double kSmoothing = 0.9;
constexpr double kDivergence = 1.5;
constexpr double kMargin = 10;

void smooth(std::vector<LrTrial>& trials) {
  double sum = 0, weight = 0;
  for (LrTrial& trial : trials) {
    sum = kSmoothing * sum + (1 - kSmoothing) * trial.loss;
    weight = kSmoothing * weight + (1 - kSmoothing);
    trial.smoothed = sum / weight;
  }
}

/// Of independent losses of one variance, successive ones differ by twice that on average of the
/// squares. Smoothing with weights w^k leaves (1 - w) / (1 + w) of it. The median keeps out the
/// steps in which the loss explodes.
double noise(const std::vector<LrTrial>& trials) {
  std::vector<double> squares;
  for (size_t i = 1; i < trials.size(); ++i)
    squares.push_back(std::pow(trials[i].loss - trials[i - 1].loss, 2));
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  constexpr double kMedianOfSquare = 0.4549;  // of a normal variable of variance 1
  return std::sqrt(*middle / kMedianOfSquare / 2 * (1 - kSmoothing) / (1 + kSmoothing));
}

}  // namespace

std::string short_lr(double lr) {
  std::ostringstream out;
  out << std::scientific << std::setprecision(2) << lr;
  return out.str();
}

LrRange judge_lr_range(std::vector<LrTrial> trials) {
  if (trials.size() < 3)
    throw Error(ErrorCode::kBadValue,
                str_cat("the learning-rate finder needs at least 3 steps, it has ", trials.size()),
                "give --find-lr a larger number");
  LrRange range{.trials = std::move(trials)};
  smooth(range.trials);
  range.first = std::max<size_t>(1, range.trials.size() / 10);
  range.lowest = range.steepest = range.first;
  double fastest = 0;
  for (size_t i = range.first; i < range.trials.size(); ++i) {
    const LrTrial &before = range.trials[i - 1], &here = range.trials[i];
    if (here.smoothed < range.trials[range.lowest].smoothed) range.lowest = i;
    const double slope = (here.smoothed - before.smoothed) / std::log(here.lr / before.lr);
    if (slope < fastest) {
      fastest = slope;
      range.steepest = i;
    }
  }
  range.noise = noise(range.trials);
  range.suggested = range.trials[range.lowest].lr / kMargin;
  return range;
}

bool diverged(const LrRange& range) {
  return range.trials.back().smoothed > kDivergence * range.trials[range.lowest].smoothed;
}

std::string lr_range_table(const LrRange& range, size_t rows) {
  const size_t every = std::max<size_t>(1, (range.trials.size() + rows - 1) / rows);
  std::string table = "        lr       loss   smoothed\n";
  for (size_t i = 0; i < range.trials.size(); ++i) {
    const bool marked = i == range.steepest || i == range.lowest;
    if (i % every != 0 && !marked) continue;
    const LrTrial& trial = range.trials[i];
    for (const std::string& field :
         {short_lr(trial.lr), fixed(trial.loss, 4), fixed(trial.smoothed, 4)})
      table += std::string(field.size() < 10 ? 10 - field.size() : 0, ' ') + field + " ";
    table += str_cat(i == range.lowest ? " lowest" : "",
                     i == range.steepest ? " falls fastest" : "", "\n");
  }
  return table;
}

std::string lr_range_csv(const LrRange& range) {
  std::string csv = "lr,loss,smoothed\n";
  for (const LrTrial& trial : range.trials)
    csv += str_cat(trial.lr, ",", trial.loss, ",", trial.smoothed, "\n");
  return csv;
}

}  // namespace dfine::inline tools
