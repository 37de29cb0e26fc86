#include "metrics/summary.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "core/printable.h"
#include "core/text.h"
#include "metrics/numpy_mean.h"

namespace dfine::inline metrics {
namespace {

using Places = std::vector<size_t>;

/// Means over the values that are not -1, taken in the order of pycocotools' arrays: [IoU, recall,
/// class] and [IoU, class]. The largest limit of detections unless another is asked for.
class Means {
 public:
  explicit Means(const CocoEvaluation& evaluation)
      : evaluation_(evaluation),
        every_iou_(evaluation.params.ious.size()),
        every_class_(evaluation.categories.size()),
        largest_(evaluation.params.limits.size() - 1) {
    std::iota(every_iou_.begin(), every_iou_.end(), 0);
    std::iota(every_class_.begin(), every_class_.end(), 0);
  }

  const Places& every_iou() const { return every_iou_; }
  const Places& every_class() const { return every_class_; }
  size_t largest_limit() const { return largest_; }
  /// Nothing where that threshold was not evaluated.
  Places only_iou(double iou) const {
    const auto& ious = evaluation_.params.ious;
    const auto found = std::ranges::find(ious, iou);
    return found == ious.end() ? Places() : Places{static_cast<size_t>(found - ious.begin())};
  }

  double precision(const Places& ious, const Places& classes, size_t area = kAreaAll) {
    const Places counting = counting_in(classes, area);
    const size_t width = counting.size();
    values_.resize(ious.size() * kCocoRecalls * width);
    double* row = values_.data();
    for (const size_t t : ious) {
      for (size_t i = 0; i < width; ++i) {
        const double* curve =
            &evaluation_.precision[evaluation_.curve_index(counting[i], area, largest_, t)];
        for (size_t r = 0; r < kCocoRecalls; ++r) row[r * width + i] = curve[r];
      }
      row += kCocoRecalls * width;
    }
    return mean();
  }

  double recall(const Places& classes, size_t area, size_t limit) {
    const Places counting = counting_in(classes, area);
    values_.clear();
    for (const size_t t : every_iou_) {
      for (const size_t k : counting)
        values_.push_back(evaluation_.recall[evaluation_.recall_index(k, area, limit, t)]);
    }
    return mean();
  }

 private:
  /// Those with a counting ground truth; all values of the others are -1.
  Places counting_in(const Places& classes, size_t area) const {
    Places counting;
    for (const size_t k : classes) {
      if (evaluation_.recall[evaluation_.recall_index(k, area, 0, 0)] > -1) counting.push_back(k);
    }
    return counting;
  }
  double mean() const { return values_.empty() ? -1 : numpy_mean(values_); }

  const CocoEvaluation& evaluation_;
  Places every_iou_, every_class_;
  size_t largest_;
  std::vector<double> values_;
};

constexpr std::array<const char*, kCocoAreas> kAreaNames{"all", "small", "medium", "large"};
constexpr double kIou50 = 0.5, kIou75 = 0.75;

/// "0.50", "0.333".
std::string iou_text(double iou) {
  const std::string two = fixed(iou, 2);
  return std::stod(two) == iou || std::abs(std::stod(two) - iou) < 1e-9 ? two : str_cat(iou);
}

/// "ap50", "ap33.3".
std::string name_of_iou(double iou) {
  const double percent = std::round(iou * 1e6) / 1e4;
  return str_cat("ap", percent);
}

/// Those with an AP of their own, ascending: 0.5 and 0.75, and with other thresholds than COCO's
/// each of them.
std::vector<double> reported_ious(const CocoParams& params) {
  std::vector<double> ious{kIou50, kIou75};
  if (params.ious != CocoParams().ious) {
    std::ranges::copy_if(params.ious, std::back_inserter(ious),
                         [](double iou) { return iou != kIou50 && iou != kIou75; });
    std::ranges::sort(ious);
  }
  return ious;
}

/// With the values -1.
std::vector<CocoMetric> described_metrics(const CocoParams& params) {
  std::vector<CocoMetric> metrics;
  const auto [lowest, highest] = std::ranges::minmax(params.ious);
  const std::string every = params.ious.size() == 1
                                ? iou_text(lowest)
                                : str_cat(iou_text(lowest), ":", iou_text(highest));
  const auto add = [&](bool is_precision, std::string name, std::string iou, const char* area,
                       size_t limit) {
    metrics.push_back({.name = std::move(name),
                       .is_precision = is_precision,
                       .iou = std::move(iou),
                       .area = area,
                       .limit = limit,
                       .value = -1});
  };
  const size_t largest = params.limits.back();
  add(true, "ap", every, kAreaNames[0], largest);
  for (const double iou : reported_ious(params))
    add(true, name_of_iou(iou), iou_text(iou), kAreaNames[0], largest);
  for (size_t a = 1; a < kCocoAreas; ++a)
    add(true, str_cat("ap_", kAreaNames[a]), every, kAreaNames[a], largest);
  for (const size_t limit : params.limits)
    add(false, str_cat("ar", limit), every, kAreaNames[0], limit);
  for (size_t a = 1; a < kCocoAreas; ++a)
    add(false, str_cat("ar_", kAreaNames[a]), every, kAreaNames[a], largest);
  return metrics;
}

std::string shown(double value) {
  return value < 0 ? "-" : fixed(value, 3);
}

/// Code points of UTF-8 text: close enough to its width on a terminal.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

nlohmann::ordered_json list_of(const std::vector<CocoClassSummary>& classes) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& c : classes) {
    list.push_back({{"category_id", c.category.id},
                    {"name", c.category.name},
                    {"boxes", c.boxes},
                    {"ap", c.ap},
                    {"ap50", c.ap50},
                    {"ap75", c.ap75},
                    {"ar", c.ar},
                    {"images", c.images},
                    {"detections", c.detections}});
  }
  return list;
}

}  // namespace

std::array<std::pair<std::string_view, double>, 12> CocoSummary::metrics() const {
  return {{{"ap", ap},
           {"ap50", ap50},
           {"ap75", ap75},
           {"ap_small", ap_small},
           {"ap_medium", ap_medium},
           {"ap_large", ap_large},
           {"ar1", ar1},
           {"ar10", ar10},
           {"ar100", ar100},
           {"ar_small", ar_small},
           {"ar_medium", ar_medium},
           {"ar_large", ar_large}}};
}

std::vector<CocoMetric> list_metrics(const CocoEvaluation& evaluation) {
  Means means(evaluation);
  const Places &ious = means.every_iou(), &classes = means.every_class();
  const size_t largest = means.largest_limit();
  std::vector<double> values{means.precision(ious, classes)};
  for (const double iou : reported_ious(evaluation.params))
    values.push_back(means.precision(means.only_iou(iou), classes));
  for (size_t a = 1; a < kCocoAreas; ++a) values.push_back(means.precision(ious, classes, a));
  for (size_t m = 0; m <= largest; ++m) values.push_back(means.recall(classes, kAreaAll, m));
  for (size_t a = 1; a < kCocoAreas; ++a) values.push_back(means.recall(classes, a, largest));
  std::vector<CocoMetric> metrics = described_metrics(evaluation.params);
  for (size_t i = 0; i < metrics.size(); ++i) metrics[i].value = values[i];
  return metrics;
}

CocoSummary summarize(const CocoEvaluation& evaluation) {
  const std::vector<CocoMetric> metrics = list_metrics(evaluation);
  const auto value = [&](std::string_view name) {
    const auto found = std::ranges::find(metrics, name, &CocoMetric::name);
    return found == metrics.end() ? -1 : found->value;
  };
  return {.ap = value("ap"),
          .ap50 = value("ap50"),
          .ap75 = value("ap75"),
          .ap_small = value("ap_small"),
          .ap_medium = value("ap_medium"),
          .ap_large = value("ap_large"),
          .ar1 = value("ar1"),
          .ar10 = value("ar10"),
          .ar100 = value("ar100"),
          .ar_small = value("ar_small"),
          .ar_medium = value("ar_medium"),
          .ar_large = value("ar_large")};
}

std::vector<CocoClassSummary> summarize_classes(const CocoEvaluation& evaluation) {
  Means means(evaluation);
  const Places iou50 = means.only_iou(kIou50), iou75 = means.only_iou(kIou75);
  std::vector<CocoClassSummary> classes;
  for (size_t k = 0; k < evaluation.categories.size(); ++k) {
    classes.push_back({.category = evaluation.categories[k],
                       .boxes = evaluation.boxes[k],
                       .ap = means.precision(means.every_iou(), {k}),
                       .ap50 = means.precision(iou50, {k}),
                       .ap75 = means.precision(iou75, {k}),
                       .ar = means.recall({k}, kAreaAll, means.largest_limit()),
                       .images = evaluation.images[k],
                       .detections = evaluation.detections[k]});
  }
  return classes;
}

std::string format_metrics(const std::vector<CocoMetric>& metrics) {
  std::ostringstream out;
  for (const CocoMetric& metric : metrics) {
    out << std::left << std::setw(19)
        << (metric.is_precision ? "Average Precision" : "Average Recall") << "IoU " << std::setw(11)
        << metric.iou << "area " << std::setw(8) << metric.area << "detections " << std::right
        << std::setw(3) << metric.limit << std::setw(8) << shown(metric.value) << "  "
        << metric.name << "\n";
  }
  return out.str();
}

std::string format_summary(const CocoSummary& summary) {
  std::vector<CocoMetric> metrics = described_metrics({});
  const auto values = summary.metrics();
  for (size_t i = 0; i < values.size(); ++i) metrics[i].value = values[i].second;
  return format_metrics(metrics);
}

std::string format_classes(const std::vector<CocoClassSummary>& classes, size_t limit) {
  constexpr std::string_view kNameTitle = "name";
  size_t name_width = kNameTitle.size();
  for (const auto& c : classes)
    name_width = std::max(name_width, width_of(printable(c.category.name)));
  std::ostringstream out;
  const auto row = [&](const auto& id, std::string_view name, const auto& images, const auto& boxes,
                       const auto& detections, const std::array<std::string, 4>& values) {
    out << std::setw(11) << id << "  " << name << std::string(name_width - width_of(name), ' ')
        << std::setw(10) << images << std::setw(10) << boxes << std::setw(12) << detections;
    for (const std::string& value : values) out << std::setw(8) << value;
    out << "\n";
  };
  row("category id", kNameTitle, "images", "boxes", "detections",
      {"AP", "AP50", "AP75", str_cat("AR", limit)});
  for (const auto& c : classes)
    row(c.category.id, printable(c.category.name), c.images, c.boxes, c.detections,
        {shown(c.ap), shown(c.ap50), shown(c.ap75), shown(c.ar)});
  return out.str();
}

nlohmann::ordered_json to_json(const CocoSummary& summary,
                               const std::vector<CocoClassSummary>& classes) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : summary.metrics()) json[std::string(name)] = value;
  json["classes"] = list_of(classes);
  return json;
}

nlohmann::ordered_json to_json(const CocoParams& params, const std::vector<CocoMetric>& metrics,
                               const std::vector<CocoClassSummary>& classes) {
  nlohmann::ordered_json json;
  for (const CocoMetric& metric : metrics) json[metric.name] = metric.value;
  json["classes"] = list_of(classes);
  json["iou_thresholds"] = params.ious;
  json["max_dets"] = params.limits;
  json["class_agnostic"] = !params.by_category;
  return json;
}

}  // namespace dfine::inline metrics
