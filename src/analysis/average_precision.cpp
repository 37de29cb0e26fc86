#include "analysis/average_precision.h"

#include <algorithm>

namespace dfine::inline analysis {
namespace {

double average_precision(ClassDetections& of) {
  if (of.positives == 0) return 0;
  std::stable_sort(of.detections.begin(), of.detections.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  // Recall rises only at a true positive, and precision is highest there.
  std::vector<double> precisions;
  for (size_t i = 0; i < of.detections.size(); ++i) {
    if (of.detections[i].is_true)
      precisions.push_back(static_cast<double>(precisions.size() + 1) / static_cast<double>(i + 1));
  }
  for (size_t i = precisions.size(); i-- > 1;)
    precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);

  constexpr int kSteps = 100;
  double sum = 0;
  size_t reached = 0;  // into precisions
  for (int step = 0; step <= kSteps; ++step) {
    const double recall = static_cast<double>(step) / kSteps;
    while (reached < precisions.size() &&
           static_cast<double>(reached + 1) / static_cast<double>(of.positives) < recall)
      ++reached;
    if (reached == precisions.size()) break;
    sum += precisions[reached];
  }
  return sum / (kSteps + 1);
}

}  // namespace

double mean_average_precision(std::vector<ClassDetections> classes, ThreadPool& pool) {
  std::erase_if(classes, [](const auto& c) { return c.positives == 0 && c.detections.empty(); });
  if (classes.empty()) return 0;
  std::vector<double> values(classes.size());
  parallel_ranges(pool, classes.size(), 1,
                  [&](size_t k, size_t) { values[k] = average_precision(classes[k]); });
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(classes.size());
}

}  // namespace dfine::inline analysis
