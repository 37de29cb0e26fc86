// coco_dump GT.json RESULTS.json OUT.bin THREADS: evaluates and writes raw float64. First come the
// 12 metrics, then precision and scores [T, R, K, A, M] and recall [T, K, A, M], laid out as
// pycocotools does. AP and AP50 of each class come last.
#include <fstream>
#include <iostream>

#include "core/error.h"
#include "metrics/coco_eval.h"
#include "metrics/coco_json.h"
#include "metrics/summary.h"

namespace dfine {
namespace {

std::vector<double> flatten(const CocoEvaluation& e) {
  std::vector<double> out;
  for (const auto& [name, value] : summarize(e).metrics()) out.push_back(value);
  const size_t classes = e.categories.size();
  const auto each_setting = [&](const auto& value_at) {
    for (size_t k = 0; k < classes; ++k) {
      for (size_t a = 0; a < kCocoAreas; ++a) {
        for (size_t m = 0; m < kCocoLimits; ++m) out.push_back(value_at(k, a, m));
      }
    }
  };
  for (const auto* curves : {&e.precision, &e.scores}) {
    for (size_t t = 0; t < kCocoIous; ++t) {
      for (size_t r = 0; r < kCocoRecalls; ++r) {
        each_setting(
            [&](size_t k, size_t a, size_t m) { return (*curves)[e.curve_index(k, a, m, t, r)]; });
      }
    }
  }
  for (size_t t = 0; t < kCocoIous; ++t) {
    each_setting(
        [&](size_t k, size_t a, size_t m) { return e.recall[e.recall_index(k, a, m, t)]; });
  }
  for (const auto& c : summarize_classes(e)) {
    out.push_back(c.ap);
    out.push_back(c.ap50);
  }
  return out;
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    const auto truth = dfine::read_coco_ground_truth(argv[1]);
    const auto detections = dfine::read_coco_detections(argv[2]);
    const auto values = dfine::flatten(dfine::evaluate_coco(truth, detections, std::stoi(argv[4])));
    std::ofstream out(argv[3], std::ios::binary);
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(double)));
    return out.flush() ? 0 : 1;
  } catch (const dfine::Error& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
