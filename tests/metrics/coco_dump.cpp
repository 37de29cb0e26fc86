// coco_dump: evaluates one case for each line of the standard input, and answers with a line, "ok"
// or the error. A line has fields with tabs between them; an empty one takes COCO's setting:
// - annotation file, results file, output, threads;
// - IoU thresholds and limits of detections, with commas;
// - 1 or 0: whether all categories count as one.
//
// The output is raw float64. First come the metrics, then precision and scores [T, R, K, A, M] and
// recall [T, K, A, M], laid out as pycocotools does. AP, AP50, AP75 and AR of each class come last.
#include <fstream>
#include <iostream>

#include "core/error.h"
#include "core/split.h"
#include "metrics/coco_eval.h"
#include "metrics/coco_json.h"
#include "metrics/summary.h"

namespace dfine {
namespace {

std::vector<double> flatten(const CocoEvaluation& e) {
  std::vector<double> out;
  for (const CocoMetric& metric : list_metrics(e)) out.push_back(metric.value);
  const size_t classes = e.categories.size(), ious = e.params.ious.size(),
               limits = e.params.limits.size();
  const auto each_setting = [&](const auto& value_at) {
    for (size_t k = 0; k < classes; ++k) {
      for (size_t a = 0; a < kCocoAreas; ++a) {
        for (size_t m = 0; m < limits; ++m) out.push_back(value_at(k, a, m));
      }
    }
  };
  for (const auto* curves : {&e.precision, &e.scores}) {
    for (size_t t = 0; t < ious; ++t) {
      for (size_t r = 0; r < kCocoRecalls; ++r) {
        each_setting(
            [&](size_t k, size_t a, size_t m) { return (*curves)[e.curve_index(k, a, m, t, r)]; });
      }
    }
  }
  for (size_t t = 0; t < ious; ++t) {
    each_setting(
        [&](size_t k, size_t a, size_t m) { return e.recall[e.recall_index(k, a, m, t)]; });
  }
  for (const auto& c : summarize_classes(e)) {
    for (const double value : {c.ap, c.ap50, c.ap75, c.ar}) out.push_back(value);
  }
  return out;
}

void evaluate(const std::vector<std::string>& fields) {
  const int threads = std::stoi(fields.at(3));
  CocoParams params;
  if (!fields.at(4).empty()) {
    params.ious.clear();
    for (const auto& iou : split(fields[4], ',')) params.ious.push_back(std::stod(iou));
  }
  if (!fields.at(5).empty()) {
    params.limits.clear();
    for (const auto& limit : split(fields[5], ',')) params.limits.push_back(std::stoul(limit));
  }
  params.by_category = fields.at(6) != "1";
  const auto truth = read_coco_ground_truth(fields[0], threads);
  const auto detections = read_coco_detections(fields[1], nullptr, threads);
  const auto values = flatten(evaluate_coco(truth, detections, threads, params));
  std::ofstream out(fields[2], std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(double)));
}

}  // namespace
}  // namespace dfine

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      dfine::evaluate(dfine::split(line, '\t'));
      std::cout << "ok" << std::endl;
    } catch (const dfine::Error& e) {
      std::cout << e.message() << std::endl;
    }
  }
}
