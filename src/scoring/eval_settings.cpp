#include "scoring/eval_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/split.h"
#include "core/text.h"

namespace dfine::inline scoring {
namespace {

[[noreturn]] void refuse(const std::string& text, const char* what) {
  throw UsageError(str_cat("--iou-thresholds ", text, ": ", what),
                   "give numbers above 0, up to 1, or FIRST:LAST:STEP such as 0.5:0.95:0.05");
}

double parse_number(const std::string& part, const std::string& text) {
  double number = 0;
  const char* end = part.data() + part.size();
  const auto [rest, failed] = std::from_chars(part.data(), end, number);
  if (failed != std::errc() || rest != end) refuse(text, "this is no number");
  if (!(number > 0 && number <= 1)) refuse(text, "a number is not above 0 and up to 1");
  return number;
}

/// The numbers of numpy.linspace, as pycocotools makes its own thresholds.
void add_range(const std::string& text, std::vector<double>& ious) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) refuse(text, "a range has two colons");
  const double first = parse_number(parts[0], text), last = parse_number(parts[1], text),
               step = parse_number(parts[2], text);
  if (first > last) refuse(text, "the range ends before it begins");
  const double steps = std::round((last - first) / step);
  if (std::abs(first + steps * step - last) > 1e-6)
    refuse(text, "the last number is not reached in whole steps");
  if (steps >= static_cast<double>(kMostCocoIous)) refuse(text, "there may be 32 thresholds");
  if (steps == 0) return ious.push_back(first);
  const auto count = static_cast<size_t>(steps) + 1;
  for (size_t i = 0; i < count; ++i) ious.push_back(linspace(first, last, count, i));
}

}  // namespace

CocoParams parse_eval_settings(const std::vector<std::string>& iou_thresholds,
                               std::vector<size_t> max_dets, bool class_agnostic) {
  CocoParams params;
  params.by_category = !class_agnostic;
  if (!iou_thresholds.empty()) params.ious.clear();
  for (const std::string& text : iou_thresholds) {
    if (text.find(':') != std::string::npos) {
      add_range(text, params.ious);
    } else {
      params.ious.push_back(parse_number(text, text));
    }
  }
  if (!max_dets.empty()) {
    std::ranges::sort(max_dets);
    if (const auto twice = std::ranges::adjacent_find(max_dets); twice != max_dets.end())
      throw UsageError(str_cat("--max-dets has ", *twice, " twice"), "give each number once");
    params.limits = std::move(max_dets);
  }
  try {
    params.check();
  } catch (const Error& e) {
    throw UsageError("--iou-thresholds: " + e.message(), e.hint());
  }
  return params;
}

}  // namespace dfine::inline scoring
