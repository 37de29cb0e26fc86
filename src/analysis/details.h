#pragma once
// What a detector does beyond the 12 COCO metrics: everything in this folder, together.
// docs/analysis.md says what each number means.
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/bootstrap.h"
#include "analysis/calibration.h"
#include "analysis/confusion.h"
#include "analysis/error_kinds.h"
#include "analysis/threshold_curve.h"

namespace dfine::inline analysis {

struct AnalysisOptions {
  MatchOptions match;
  BootstrapOptions bootstrap;
  /// Of the confusion matrix; by default the best one of all classes together, or 0.5 if there is
  /// none.
  std::optional<double> confusion_threshold;
  int threads = 0;  // 0: one for every core
};

/// Of one class or of all together.
struct ScoreDetails {
  ThresholdCurve curve;
  std::optional<BestThreshold> best;  // nothing without a true positive
  std::optional<Interval> interval;
  Calibration calibration;
};

struct Details {
  AnalysisOptions options;
  std::vector<Category> categories;  // ascending by id
  ScoreDetails pooled;
  std::vector<ScoreDetails> classes;  // [categories]
  ConfusionMatrix confusion;
  ErrorKinds errors;
};

/// Takes what evaluate_coco() takes and throws Error for the same inputs, but for annotation ids
/// that occur twice: it does not look for those. Warns of nothing.
Details analyse(const GroundTruth& truth, std::span<const Detection> detections,
                const AnalysisOptions& options = {});

/// The best thresholds alone, for checkpoints: a small part of the work.
struct BestThresholds {
  std::vector<Category> categories;  // ascending by id
  std::optional<BestThreshold> pooled;
  std::vector<std::optional<BestThreshold>> classes;
};

/// Equal to those of analyse().
BestThresholds best_thresholds(const GroundTruth& truth, std::span<const Detection> detections,
                               const MatchOptions& options = {}, int threads = 0);

/// {"iou", "detection_limit", "thresholds", "overall", "classes", "confusion", "errors"};
/// docs/analysis.md lists the fields. Numbers read back exactly; null is an undefined one.
nlohmann::ordered_json to_json(const Details& details);

/// {"overall": {"threshold", "f1"} or null, "classes": [{"category_id", "name", "threshold",
/// "f1"}, ...]}; threshold and f1 of a class are null where nothing was found.
nlohmann::ordered_json to_json(const BestThresholds& thresholds);

/// Tables for a terminal, at most 100 columns wide.
std::string format_details(const Details& details);

}  // namespace dfine::inline analysis
