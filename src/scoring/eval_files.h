#pragma once
// dfine-eval without a model: a results file against an annotation file, both in COCO's JSON
// formats.
#include <filesystem>
#include <optional>

#include "analysis/details.h"
#include "metrics/coco_eval.h"

namespace dfine::inline scoring {

struct FileEvalOptions {
  std::filesystem::path annotations, predictions;
  std::optional<std::filesystem::path> output;  // metrics.json
  bool details = false;                         // also analyse() (analysis/details.h)
  CocoParams params;
  int threads = 0;  // 0: one for every core
};

/// Reads both files, evaluates and reports. Images are matched by file name where image ids mean
/// other files (metrics/match_files.h). Categories are matched by name where category ids mean
/// other classes (match_categories.h). Throws Error that names file and record.
void evaluate_files(const FileEvalOptions& options);

/// Prints the metrics, the classes and `details`, if there are any, to stdout; `output`, if given,
/// gets them as JSON, whole or not at all.
void report_evaluation(const CocoEvaluation& evaluation, const std::optional<Details>& details,
                       const std::optional<std::filesystem::path>& output);

}  // namespace dfine::inline scoring
