// bench_coco_eval GT.json RESULTS.json [THREADS]: prints seconds of loading and of evaluating, and
// the 12 metrics, as one line of JSON. bench_coco_eval.py makes the data and runs this beside
// pycocotools, faster-coco-eval and hotcoco.
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "metrics/coco_eval.h"
#include "metrics/coco_json.h"
#include "metrics/summary.h"

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  if (argc < 3) {
    std::cerr << "usage: bench_coco_eval GT.json RESULTS.json [THREADS]\n";
    return 2;
  }
  try {
    const int threads = argc > 3 ? std::stoi(argv[3]) : 0;
    const auto start = Clock::now();
    dfine::ResultNames names;
    const auto truth = dfine::read_coco_ground_truth(argv[1], threads);
    const auto detections = dfine::read_coco_detections(argv[2], &names, threads);
    const double load = seconds_since(start);
    const auto loaded = Clock::now();
    const auto summary = dfine::summarize(dfine::evaluate_coco(truth, detections, threads));
    const double evaluate = seconds_since(loaded);
    nlohmann::ordered_json result{
        {"load", load}, {"evaluate", evaluate}, {"stats", nlohmann::json::array()}};
    for (const auto& [name, value] : summary.metrics()) result["stats"].push_back(value);
    std::cout << result.dump() << "\n";
    return 0;
  } catch (const dfine::Error& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
