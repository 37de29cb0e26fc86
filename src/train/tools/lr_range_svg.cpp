#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "train/tools/lr_range.h"

namespace dfine::inline tools {
namespace {

constexpr double kWidth = 760, kHeight = 440, kLeft = 64, kRight = 24, kTop = 56, kBottom = 56;

/// From values to places in the picture.
class Axes {
 public:
  explicit Axes(const LrRange& range)
      : from_(std::log10(range.trials.front().lr)),
        to_(std::log10(range.trials.back().lr)),
        lowest_(range.trials[range.lowest].smoothed) {
    double highest = lowest_;
    for (const LrTrial& trial : range.trials) highest = std::max(highest, trial.smoothed);
    // What follows after the loss has begun to explode says nothing: it would press the rest flat.
    highest_ =
        std::min(highest, lowest_ + 1.5 * std::max(1e-9, range.trials.front().smoothed - lowest_) +
                              0.1 * std::abs(lowest_));
    for (const LrTrial& trial : range.trials) lowest_ = std::min(lowest_, trial.loss);
    const double margin = 0.06 * (highest_ - lowest_);
    lowest_ -= margin;
    highest_ += margin;
  }

  double x(double lr) const {
    return kLeft + (std::log10(lr) - from_) / (to_ - from_) * (kWidth - kLeft - kRight);
  }
  double y(double loss) const {
    return kHeight - kBottom - (loss - lowest_) / (highest_ - lowest_) * (kHeight - kTop - kBottom);
  }
  bool shows(double loss) const { return loss >= lowest_ && loss <= highest_; }
  double from() const { return from_; }
  double to() const { return to_; }
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }

 private:
  double from_, to_, lowest_, highest_ = 0;
};

std::string line(double x1, double y1, double x2, double y2, const std::string& style) {
  return str_cat("<line x1=\"", fixed(x1, 1), "\" y1=\"", fixed(y1, 1), "\" x2=\"", fixed(x2, 1),
                 "\" y2=\"", fixed(y2, 1), "\" class=\"", style, "\"/>\n");
}

std::string label(double x, double y, const std::string& anchor, const std::string& style,
                  const std::string& text) {
  return str_cat("<text x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" text-anchor=\"", anchor,
                 "\" class=\"", style, "\">", text, "</text>\n");
}

/// A step of 1, 2 or 5 times a power of ten that cuts `span` into about five.
double round_step(double span) {
  const double rough = span / 5, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

std::string grid(const Axes& axes) {
  std::string out;
  for (int decade = static_cast<int>(std::ceil(axes.from() - 1e-9)); decade <= axes.to() + 1e-9;
       ++decade) {
    const double x = axes.x(std::pow(10, decade));
    out += line(x, kTop, x, kHeight - kBottom, "grid") +
           label(x, kHeight - kBottom + 18, "middle", "tick", str_cat("1e", decade));
  }
  const double step = round_step(axes.highest() - axes.lowest());
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step))));
  for (double loss = std::ceil(axes.lowest() / step) * step; loss <= axes.highest(); loss += step) {
    out += line(kLeft, axes.y(loss), kWidth - kRight, axes.y(loss), "grid") +
           label(kLeft - 8, axes.y(loss) + 4, "end", "tick", fixed(loss, digits));
  }
  return out;
}

std::string curve(const LrRange& range, const Axes& axes) {
  std::string dots, points;
  bool inside = true;  // the curve ends where it leaves the picture
  for (const LrTrial& trial : range.trials) {
    if (axes.shows(trial.loss))
      dots += str_cat("<circle cx=\"", fixed(axes.x(trial.lr), 1), "\" cy=\"",
                      fixed(axes.y(trial.loss), 1), "\" r=\"2\" class=\"raw\"/>\n");
    inside = inside && axes.shows(trial.smoothed);
    if (inside)
      points += str_cat(fixed(axes.x(trial.lr), 1), ",", fixed(axes.y(trial.smoothed), 1), " ");
  }
  return dots + str_cat("<polyline points=\"", points, "\" class=\"curve\"/>\n");
}

std::string mark(const Axes& axes, double lr, double row, const std::string& style,
                 const std::string& text) {
  const double x = axes.x(lr);
  const bool left_half = x < kWidth / 2;
  return line(x, kTop, x, kHeight - kBottom, style) +
         label(x + (left_half ? 6 : -6), kTop + 14 + 16 * row, left_half ? "start" : "end",
               str_cat("mark ", style, "-text"), text);
}

}  // namespace

std::string lr_range_svg(const LrRange& range) {
  const Axes axes(range);
  const LrTrial &steepest = range.trials[range.steepest], &lowest = range.trials[range.lowest];
  std::string svg = str_cat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", kWidth, " ",
                            kHeight, "\" width=\"", kWidth, "\" height=\"", kHeight,
                            "\" role=\"img\" aria-label=\"Loss over learning rate\">\n");
  svg +=
      "<style>text{font-family:system-ui,sans-serif;fill:#333}.title{font-size:16px;font-weight:"
      "600}.tick{font-size:12px;fill:#666}"
      ".mark{font-size:12px;paint-order:stroke;stroke:#fff;stroke-width:4px}.grid{stroke:#e4e4e4}."
      "raw{fill:#b9cbe4}.curve{fill:none;stroke:"
      "#1f5fb4;stroke-width:2.2}"
      ".best{stroke:#1a8f3c;stroke-width:2}.best-text{fill:#1a8f3c;font-weight:600}.other{stroke:#"
      "999;stroke-dasharray:4 4}"
      ".other-text{fill:#666}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  svg += label(kLeft, 30, "start", "title", "Learning-rate finder");
  svg +=
      label(kWidth - kRight, 30, "end", "tick", str_cat("suggestion: ", short_lr(range.suggested)));
  svg += grid(axes) + curve(range, axes);
  svg += mark(axes, lowest.lr, 0, "other", str_cat("lowest loss ", short_lr(lowest.lr)));
  svg += mark(axes, steepest.lr, 1, "other", str_cat("falls fastest ", short_lr(steepest.lr)));
  if (range.suggested >= range.trials.front().lr)
    svg +=
        mark(axes, range.suggested, 2, "best", str_cat("suggestion ", short_lr(range.suggested)));
  svg += label((kLeft + kWidth - kRight) / 2, kHeight - 14, "middle", "tick", "learning rate");
  svg += label(kLeft, kTop - 10, "start", "tick", "loss, dots: single steps, line: smoothed");
  return svg + "</svg>\n";
}

}  // namespace dfine::inline tools
