#include "scoring/eval_files.h"

#include <future>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "metrics/coco_json.h"
#include "metrics/match_files.h"
#include "metrics/summary.h"
#include "scoring/match_categories.h"

namespace dfine::inline scoring {

void evaluate_files(const FileEvalOptions& options) {
  ResultNames names;
  auto reading = std::async(options.threads == 1 ? std::launch::deferred : std::launch::async, [&] {
    return read_coco_detections(options.predictions, &names, options.threads);
  });
  const GroundTruth truth = read_coco_ground_truth(options.annotations, options.threads);
  std::vector<Detection> detections = reading.get();
  const std::string predictions = options.predictions.string(),
                    annotations = options.annotations.string();
  for (const std::string& note :
       {match_by_file_name(truth, names.files, detections, predictions, annotations),
        match_by_category_name(truth.categories, names, detections, predictions, annotations)})
    if (!note.empty()) log::warn(note);
  CocoEvaluation evaluation;
  std::optional<Details> details;
  {
    const ErrorContext at("evaluating ", predictions, " on ", annotations);
    evaluation = evaluate_coco(truth, detections, options.threads, options.params);
    if (options.details) details = analyse(truth, detections, {.threads = options.threads});
  }
  report_evaluation(evaluation, details, options.output);
}

void report_evaluation(const CocoEvaluation& evaluation, const std::optional<Details>& details,
                       const std::optional<std::filesystem::path>& output) {
  const auto metrics = list_metrics(evaluation);
  const auto classes = summarize_classes(evaluation);
  if (output) {
    auto json = to_json(evaluation.params, metrics, classes);
    if (details) json["details"] = to_json(*details);
    write_file_atomically(*output, json.dump(2) + "\n");
  }
  std::cout << counted(evaluation.num_images, "image") << ", "
            << counted(evaluation.num_detections, "detection")
            << (evaluation.params.by_category ? "" : ", all classes as one") << "\n\n"
            << format_metrics(metrics) << "\n"
            << format_classes(classes, evaluation.params.limits.back());
  if (details) std::cout << "\n" << format_details(*details);
  std::cout << std::flush;
}

}  // namespace dfine::inline scoring
