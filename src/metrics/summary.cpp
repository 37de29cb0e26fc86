#include "metrics/summary.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/printable.h"
#include "core/text.h"
#include "metrics/numpy_mean.h"

namespace dfine::inline metrics {
namespace {

constexpr size_t kIou50 = 0, kIou75 = 5;
static_assert(kCocoIouThresholds[kIou50] == 0.5 && kCocoIouThresholds[kIou75] == 0.75);

struct Range {
  size_t begin, end;
};
constexpr Range kEveryIou{0, kCocoIous};
constexpr Range only(size_t i) {
  return {i, i + 1};
}

/// Means over the values that are not -1, taken in the order of pycocotools' arrays: [IoU, recall,
/// class] and [IoU, class].
class Means {
 public:
  explicit Means(const CocoEvaluation& evaluation) : evaluation_(evaluation) {}

  double precision(Range ious, Range classes, size_t area = kAreaAll) {
    start(ious, classes, kCocoRecalls);
    for (size_t t = ious.begin; t < ious.end; ++t) {
      for (size_t r = 0; r < kCocoRecalls; ++r) {
        for (size_t k = classes.begin; k < classes.end; ++k) {
          add(evaluation_.precision[evaluation_.curve_index(k, area, kLimit100, t, r)]);
        }
      }
    }
    return mean();
  }

  double recall(Range classes, size_t area, size_t limit) {
    start(kEveryIou, classes, 1);
    for (size_t t = 0; t < kCocoIous; ++t) {
      for (size_t k = classes.begin; k < classes.end; ++k)
        add(evaluation_.recall[evaluation_.recall_index(k, area, limit, t)]);
    }
    return mean();
  }

 private:
  void start(Range ious, Range classes, size_t recalls) {
    values_.clear();
    values_.reserve((ious.end - ious.begin) * (classes.end - classes.begin) * recalls);
  }
  void add(double value) {
    if (value > -1) values_.push_back(value);
  }
  double mean() const { return values_.empty() ? -1 : numpy_mean(values_); }

  const CocoEvaluation& evaluation_;
  std::vector<double> values_;
};

struct FigureLabel {
  const char *kind, *iou, *area;
  size_t limit;
};
constexpr std::array<FigureLabel, 12> kLabels{
    {{"Average Precision", "0.50:0.95", "all", kLimit100},
     {"Average Precision", "0.50", "all", kLimit100},
     {"Average Precision", "0.75", "all", kLimit100},
     {"Average Precision", "0.50:0.95", "small", kLimit100},
     {"Average Precision", "0.50:0.95", "medium", kLimit100},
     {"Average Precision", "0.50:0.95", "large", kLimit100},
     {"Average Recall", "0.50:0.95", "all", kLimit1},
     {"Average Recall", "0.50:0.95", "all", kLimit10},
     {"Average Recall", "0.50:0.95", "all", kLimit100},
     {"Average Recall", "0.50:0.95", "small", kLimit100},
     {"Average Recall", "0.50:0.95", "medium", kLimit100},
     {"Average Recall", "0.50:0.95", "large", kLimit100}}};

std::string shown(double value) {
  return value < 0 ? "-" : fixed(value, 3);
}

/// Code points of UTF-8 text: close enough to its width on a terminal.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
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

CocoSummary summarize(const CocoEvaluation& evaluation) {
  Means means(evaluation);
  const Range all{0, evaluation.categories.size()};
  return {.ap = means.precision(kEveryIou, all),
          .ap50 = means.precision(only(kIou50), all),
          .ap75 = means.precision(only(kIou75), all),
          .ap_small = means.precision(kEveryIou, all, kAreaSmall),
          .ap_medium = means.precision(kEveryIou, all, kAreaMedium),
          .ap_large = means.precision(kEveryIou, all, kAreaLarge),
          .ar1 = means.recall(all, kAreaAll, kLimit1),
          .ar10 = means.recall(all, kAreaAll, kLimit10),
          .ar100 = means.recall(all, kAreaAll, kLimit100),
          .ar_small = means.recall(all, kAreaSmall, kLimit100),
          .ar_medium = means.recall(all, kAreaMedium, kLimit100),
          .ar_large = means.recall(all, kAreaLarge, kLimit100)};
}

std::vector<CocoClassSummary> summarize_classes(const CocoEvaluation& evaluation) {
  Means means(evaluation);
  std::vector<CocoClassSummary> classes;
  for (size_t k = 0; k < evaluation.categories.size(); ++k) {
    classes.push_back({.category = evaluation.categories[k],
                       .boxes = evaluation.boxes[k],
                       .ap = means.precision(kEveryIou, only(k)),
                       .ap50 = means.precision(only(kIou50), only(k))});
  }
  return classes;
}

std::string format_summary(const CocoSummary& summary) {
  std::ostringstream out;
  const auto metrics = summary.metrics();
  for (size_t i = 0; i < metrics.size(); ++i) {
    const FigureLabel& label = kLabels[i];
    out << std::left << std::setw(19) << label.kind << "IoU " << std::setw(11) << label.iou
        << "area " << std::setw(8) << label.area << "detections " << std::right << std::setw(3)
        << kCocoDetectionLimits[label.limit] << std::setw(8) << shown(metrics[i].second) << "  "
        << metrics[i].first << "\n";
  }
  return out.str();
}

std::string format_classes(const std::vector<CocoClassSummary>& classes) {
  constexpr std::string_view kNameTitle = "name";
  size_t name_width = kNameTitle.size();
  for (const auto& c : classes)
    name_width = std::max(name_width, width_of(printable(c.category.name)));
  std::ostringstream out;
  const auto row = [&](const auto& id, std::string_view name, const auto& boxes,
                       std::string_view ap, std::string_view ap50) {
    out << std::setw(11) << id << "  " << name << std::string(name_width - width_of(name), ' ')
        << std::setw(10) << boxes << std::setw(8) << ap << std::setw(8) << ap50 << "\n";
  };
  row("category id", kNameTitle, "boxes", "AP", "AP50");
  for (const auto& c : classes)
    row(c.category.id, printable(c.category.name), c.boxes, shown(c.ap), shown(c.ap50));
  return out.str();
}

nlohmann::ordered_json to_json(const CocoSummary& summary,
                               const std::vector<CocoClassSummary>& classes) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : summary.metrics()) json[std::string(name)] = value;
  json["classes"] = nlohmann::ordered_json::array();
  for (const auto& c : classes) {
    json["classes"].push_back({{"category_id", c.category.id},
                               {"name", c.category.name},
                               {"boxes", c.boxes},
                               {"ap", c.ap},
                               {"ap50", c.ap50}});
  }
  return json;
}

}  // namespace dfine::inline metrics
