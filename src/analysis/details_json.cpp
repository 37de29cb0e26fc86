#include <nlohmann/json.hpp>

#include "analysis/details.h"

namespace dfine::inline analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSamples = 101;
double sampled_threshold(int i) {
  return static_cast<double>(i) / (kSamples - 1);
}

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json best_json(const ScoreDetails& details) {
  if (!details.best) return nullptr;
  const auto& [threshold, counts] = *details.best;
  Json json{{"threshold", threshold}};
  if (details.interval) {
    json["low"] = details.interval->low;
    json["high"] = details.interval->high;
    json["resamples"] = details.interval->resamples;
  }
  json["tp"] = counts.true_positives;
  json["fp"] = counts.false_positives;
  json["fn"] = counts.false_negatives;
  json["precision"] = or_null(counts.precision());
  json["recall"] = or_null(counts.recall());
  json["f1"] = or_null(counts.f1());
  return json;
}

Json curve_json(const ThresholdCurve& curve) {
  Json tp = Json::array(), fp = Json::array(), precision = Json::array(), recall = Json::array(),
       f1 = Json::array();
  for (int i = 0; i < kSamples; ++i) {
    const Counts counts = curve.at(sampled_threshold(i));
    tp.push_back(counts.true_positives);
    fp.push_back(counts.false_positives);
    precision.push_back(or_null(counts.precision()));
    recall.push_back(or_null(counts.recall()));
    f1.push_back(or_null(counts.f1()));
  }
  return {{"tp", tp}, {"fp", fp}, {"precision", precision}, {"recall", recall}, {"f1", f1}};
}

Json calibration_json(const Calibration& calibration) {
  Json bins = Json::array();
  for (const CalibrationBin& bin : calibration.bins) {
    const bool empty = bin.detections == 0;
    bins.push_back({{"detections", bin.detections},
                    {"mean_score", empty ? Json(nullptr) : Json(bin.mean_score)},
                    {"precision", empty ? Json(nullptr) : Json(bin.precision)}});
  }
  return {{"ece", or_null(calibration.ece)}, {"bins", bins}};
}

void add_scores(Json& json, const ScoreDetails& details) {
  json["boxes"] = details.curve.positives;
  json["best"] = best_json(details);
  json["calibration"] = calibration_json(details.calibration);
  json["curve"] = curve_json(details.curve);
}

Json confusion_json(const ConfusionMatrix& confusion) {
  Json rows = Json::array();
  for (size_t r = 0; r <= confusion.classes; ++r) {
    Json row = Json::array();
    for (size_t c = 0; c <= confusion.classes; ++c) row.push_back(confusion.at(r, c));
    rows.push_back(std::move(row));
  }
  return {{"threshold", confusion.threshold}, {"counts", std::move(rows)}};
}

Json errors_json(const ErrorKinds& errors) {
  Json json{{"ap", errors.ap}};
  for (size_t i = 0; i < kErrorKinds; ++i) {
    json[std::string(name_of(static_cast<ErrorKind>(i)))] = {{"ap", errors.kinds[i].ap},
                                                             {"count", errors.kinds[i].count}};
  }
  json["false_positives"] = {{"ap", errors.false_positives}};
  json["false_negatives"] = {{"ap", errors.false_negatives}};
  return json;
}

}  // namespace

Json to_json(const Details& details) {
  Json json{{"iou", details.options.match.iou},
            {"detection_limit", details.options.match.detection_limit}};
  json["thresholds"] = Json::array();
  for (int i = 0; i < kSamples; ++i) json["thresholds"].push_back(sampled_threshold(i));
  add_scores(json["overall"], details.pooled);
  json["classes"] = Json::array();
  for (size_t k = 0; k < details.classes.size(); ++k) {
    Json of_class{{"category_id", details.categories[k].id}, {"name", details.categories[k].name}};
    add_scores(of_class, details.classes[k]);
    json["classes"].push_back(std::move(of_class));
  }
  json["confusion"] = confusion_json(details.confusion);
  json["errors"] = errors_json(details.errors);
  return json;
}

Json to_json(const BestThresholds& thresholds) {
  const auto fields = [](Json json, const std::optional<BestThreshold>& best) {
    json["threshold"] = best ? Json(best->threshold) : Json(nullptr);
    json["f1"] = best ? or_null(best->counts.f1()) : Json(nullptr);
    return json;
  };
  Json json;
  json["overall"] = thresholds.pooled ? fields(Json::object(), thresholds.pooled) : Json(nullptr);
  json["classes"] = Json::array();
  for (size_t k = 0; k < thresholds.classes.size(); ++k) {
    json["classes"].push_back(fields(
        {{"category_id", thresholds.categories[k].id}, {"name", thresholds.categories[k].name}},
        thresholds.classes[k]));
  }
  return json;
}

}  // namespace dfine::inline analysis
