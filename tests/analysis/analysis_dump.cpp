// analysis_dump THREADS RESAMPLES FOLDER...: reads gt.json and dt.json of each folder and writes
// out.json there: everything that the tests compare with other implementations.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/details.h"
#include "core/error.h"
#include "metrics/coco_json.h"

namespace dfine {
namespace {

using Json = nlohmann::ordered_json;

Json annotation_id(const GroundTruth& truth, uint32_t box) {
  return box == kNoIndex ? Json(nullptr) : Json(truth.boxes[box].annotation_id);
}

Json curve_json(const ThresholdCurve& curve) {
  return {{"positives", curve.positives},
          {"scores", curve.scores},
          {"tp", curve.true_positives},
          {"fp", curve.false_positives}};
}

Json dump(const GroundTruth& truth, const std::vector<Detection>& detections, int threads,
          int resamples) {
  ThreadPool pool(threads > 1 ? threads : 0);
  const Inputs in = make_inputs(truth, detections);
  const Matches matches = match_detections(in, {}, pool);
  const auto claims = claim_boxes(in, ImageLists(in), matches, {}, pool);
  AnalysisOptions options;
  options.bootstrap.resamples = resamples;
  options.threads = threads;
  const Details details = analyse(truth, detections, options);

  Json out{{"matches", Json::array()}, {"claims", Json::array()}, {"found_by", Json::array()}};
  for (const DetectionMatch& match : matches.detections)
    out["matches"].push_back({static_cast<int>(match.outcome), annotation_id(truth, match.box)});
  for (const ClaimedBox& claim : claims)
    out["claims"].push_back({static_cast<int>(claim.claim), annotation_id(truth, claim.box)});
  for (const uint32_t detection : matches.found_by)
    out["found_by"].push_back(detection == kNoIndex ? Json(nullptr) : Json(detection));
  out["pooled"] = curve_json(details.pooled.curve);
  for (const ScoreDetails& of_class : details.classes)
    out["curves"].push_back(curve_json(of_class.curve));
  for (const double threshold : {0.0, 0.3, 0.5, 0.8}) {
    const ConfusionMatrix matrix = confusion_matrix(in, matches, claims, threshold);
    out["confusions"].push_back({{"threshold", threshold}, {"counts", matrix.counts}});
  }
  out["details"] = to_json(details);
  out["best"] = to_json(best_thresholds(truth, detections, {}, threads));
  out["text"] = format_details(details);
  return out;
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  try {
    for (int i = 3; i < argc; ++i) {
      const std::filesystem::path folder = argv[i];
      const auto truth = dfine::read_coco_ground_truth(folder / "gt.json");
      const auto detections = dfine::read_coco_detections(folder / "dt.json");
      std::ofstream out(folder / "out.json");
      out << dfine::dump(truth, detections, std::stoi(argv[1]), std::stoi(argv[2]));
      if (!out.flush()) return 1;
    }
    return 0;
  } catch (const dfine::Error& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
