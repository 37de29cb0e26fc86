#include "predict/predict_images.h"

#include <algorithm>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "core/usable_cores.h"
#include "eval/loaded_model.h"
#include "files/atomic_path.h"
#include "predict/category_ids.h"
#include "predict/class_choice.h"
#include "predict/input_choice.h"
#include "predict/outputs.h"
#include "predict/pipeline.h"
#include "predict/predict_report.h"
#include "predict/prediction_maker.h"
#include "predict/score_thresholds.h"

namespace dfine::inline predict {
namespace {

constexpr int64_t kSmallestTile = 32;
constexpr double kUsualOverlap = 0.2, kMostOverlap = 0.9;

bool has_format(const PredictOptions& options, const char* name) {
  if (options.formats.empty())
    return options.output.empty() ? name == std::string("text")
                                  : name == std::string("coco") || name == std::string("jsonl");
  return std::ranges::find(options.formats, name) != options.formats.end();
}

void check_options(const PredictOptions& options) {
  for (const std::string& format : options.formats)
    if (format != "text" && options.output.empty())
      throw UsageError(str_cat("--format ", format, " needs --output DIR"));
  if (options.threshold && !(*options.threshold >= 0 && *options.threshold <= 1))  // NaN is neither
    throw UsageError(
        str_cat("--threshold ", *options.threshold, ": expected a number from 0 to 1"));
  if (options.nms && !(*options.nms > 0 && *options.nms < 1))
    throw UsageError(str_cat("--nms ", *options.nms, ": expected a number between 0 and 1"));
  if (options.tile && *options.tile < kSmallestTile)
    throw UsageError(
        str_cat("--tile ", *options.tile, ": expected at least ", kSmallestTile, " pixels"));
  if (options.overlap && !options.tile) throw UsageError("--overlap needs --tile");
  if (options.overlap && !(*options.overlap >= 0 && *options.overlap <= kMostOverlap))
    throw UsageError(
        str_cat("--overlap ", *options.overlap, ": expected a number from 0 to ", kMostOverlap));
}

/// Of the thresholds of these labels; without labels, of all.
double lowest(const std::vector<double>& thresholds, const std::vector<int64_t>& labels) {
  if (labels.empty()) return *std::ranges::min_element(thresholds);
  double least = std::numeric_limits<double>::max();
  for (const int64_t label : labels)
    least = std::min(least, thresholds[static_cast<size_t>(label)]);
  return least;
}

/// What matters most comes first.
std::vector<std::unique_ptr<PredictionOutput>> outputs_of(const PredictOptions& options,
                                                          const ChosenInput& input, int threads) {
  std::vector<std::unique_ptr<PredictionOutput>> outputs;
  const auto add = [&](const char* format, auto make) {
    if (has_format(options, format)) outputs.push_back(make());
  };
  add("text", text_output);
  add("jsonl", [&] { return jsonl_output(options.output / "predictions.jsonl"); });
  add("coco", [&] { return coco_output(options.output / "predictions.json"); });
  add("csv", [&] { return csv_output(options.output / "predictions.csv"); });
  add("yolo", [&] { return yolo_output(options.output / "labels"); });
  if (options.pictures && !options.output.empty()) {
    std::map<std::filesystem::path, VideoInfo> videos;
    for (const InputVideo& video : input.videos) videos.emplace(video.drawn, video.info);
    outputs.push_back(videos.empty() ? drawn_output(options.output, threads)
                                     : video_output(std::move(videos), threads));
  }
  return outputs;
}

std::string places_text(const std::vector<std::filesystem::path>& places) {
  std::vector<std::string> names;
  for (const auto& place : places) names.push_back(printable(place));
  return listed(names);
}

/// One is thrown, after the others are printed.
void throw_any(std::vector<Error> failures, const PipelineReport& report,
               std::optional<int64_t> pictures, int64_t unlisted) {
  if (const auto error = unreadable_error(report.unreadable, report.pictures + unlisted))
    failures.push_back(*error);
  const bool stopped = report.stopped_by != 0;
  for (size_t k = 0; k + (stopped ? 0 : 1) < failures.size(); ++k) log::error(failures[k].what());
  if (stopped)
    throw Stopped(str_cat("stopped by ", stop_signal_name(report.stopped_by), " after ",
                          with_commas(report.pictures),
                          pictures ? str_cat(" of ", with_commas(*pictures)) : "",
                          " images: the results hold these alone"),
                  "run the same command again for all images");
  if (!failures.empty()) throw failures.back();
}

}  // namespace

void predict_images(const PredictOptions& options) {
  check_options(options);
  // Half of the cores: the network needs the others.
  const int threads = std::clamp(usable_cores().count / 2, 1, 8);
  ChosenInput input = choose_input({.images = options.images,
                                    .annotations = options.annotations,
                                    .exif = options.exif,
                                    .drawn = options.pictures ? options.output : "",
                                    .threads = threads});
  LoadedModel loaded = load_model(options.weights, parse_device(options.device));
  loaded.model->prepare_for_inference();
  const std::vector<double> thresholds =
      score_thresholds(options.threshold, options.weights, loaded.description.class_names);
  CategoryIds categories =
      category_ids(options.weights, loaded.description, input.ids_from, input.categories);
  name_known_classes(loaded.description);
  const auto labels = choose_classes(options.classes, loaded.description.class_names);
  if (!options.output.empty()) {  // text has no ids
    if (!categories.note.empty()) log::info(categories.note);
    if (!categories.warning.empty()) log::warn(categories.warning);
  }

  std::optional<MadeFolders> folder;
  if (!options.output.empty()) folder.emplace(options.output);
  OutputGroup outputs(outputs_of(options, input, threads));
  Detector detector(loaded, thresholds, labels);
  take_stop_signals();
  PipelineReport report = run_pipeline(
      *input.source, detector,
      PredictionMaker(
          loaded,
          {.category_ids = std::move(categories.ids), .nms = options.nms, .top_k = options.top_k}),
      outputs,
      {.windows = {.size = options.image_size.value_or(
                       ImageSize{loaded.description.image_height, loaded.description.image_width}),
                   .tile = options.tile,
                   .overlap = options.overlap.value_or(kUsualOverlap)},
       .batch = options.batch.value_or(loaded.device.is_cuda() ? 8 : 1),
       .threads = threads});
  if (folder && !outputs.places().empty()) folder->keep();

  const auto unlisted = static_cast<int64_t>(input.unreadable.size());
  const int64_t read = report.pictures - static_cast<int64_t>(report.unreadable.size());
  report.unreadable.insert(report.unreadable.begin(), input.unreadable.begin(),
                           input.unreadable.end());
  if (!outputs.places().empty())
    std::cout << counted(report.detections, "detection") << " on " << counted(read, "image") << ": "
              << places_text(outputs.places()) << "\n";
  if (report.detections == 0 && read > 0)
    report_nothing_found(detector.highest_score(), lowest(thresholds, labels));
  std::cout << std::flush;  // before what goes to stderr
  report_orientations(report.oriented, input.stored_because);
  report_skipped(input.skipped);
  throw_any(outputs.failures(), report, input.source->size(), unlisted);
}

}  // namespace dfine::inline predict
