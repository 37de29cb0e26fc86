#include "predict/predict_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/progress_line.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "eval/loaded_model.h"
#include "eval/stored_thresholds.h"
#include "input/batch.h"
#include "model/postprocess.h"
#include "predict/category_ids.h"
#include "predict/drawn_pictures.h"
#include "predict/input_images.h"
#include "predict/loaded_image.h"
#include "predict/predict_files.h"
#include "predict/result_folder.h"

namespace dfine::inline predict {
using enum ErrorCode;
namespace {

/// The detections of one image with a score of at least the threshold of their class, highest score
/// first. `highest` is the best score seen, kept or not.
std::vector<Prediction> detect(const LoadedModel& loaded, const std::vector<int64_t>& category_ids,
                               const LoadedImage& picture, const std::vector<double>& thresholds,
                               double& highest) {
  const at::NoGradGuard no_grad;
  const auto output = loaded.model->forward(to_model_input(picture.input, loaded.device));
  const Detections found =
      postprocess(output.prediction(), {{picture.image.height, picture.image.width}}).front();
  const Tensor scores = found.scores.cpu().to(at::kFloat).contiguous(),
               labels = found.labels.cpu().contiguous();
  const Tensor boxes = found.boxes.cpu().to(at::kFloat).contiguous();
  const bool has_names = loaded.has_class_names();
  std::vector<Prediction> kept;
  for (int64_t k = 0; k < scores.size(0); ++k) {
    const float score = scores.const_data_ptr<float>()[k];
    highest = std::max(highest, static_cast<double>(score));
    const int64_t label = labels.const_data_ptr<int64_t>()[k];
    if (score < thresholds[static_cast<size_t>(label)]) continue;
    auto& p = kept.emplace_back();
    p.category_id = category_ids.at(static_cast<size_t>(label));
    p.label = loaded.class_name(label);
    p.has_name = has_names;
    p.class_index = label;
    const float* box = boxes.const_data_ptr<float>() + 4 * k;
    for (size_t c = 0; c < 4; ++c)
      p.xyxy[c] =
          std::clamp(box[c], 0.0F,
                     static_cast<float>(c % 2 == 0 ? picture.image.width : picture.image.height));
    p.score = score;
  }
  return kept;
}

/// The image id of each file. With annotations, files that they do not list leave `listing`.
std::vector<int64_t> image_ids(ImageListing& listing, const std::string& annotations,
                               const AnnotatedSet& annotated) {
  std::vector<int64_t> ids(listing.images.size());
  std::iota(ids.begin(), ids.end(), 1);
  if (annotations.empty()) return ids;
  ids.clear();
  std::vector<ImageFile> listed;
  for (ImageFile& file : listing.images) {
    const auto found = annotated.image_ids.find(file.name);
    if (found == annotated.image_ids.end()) {
      listing.skipped.push_back({file.path, "not in " + printable(annotations)});
    } else {
      ids.push_back(found->second);
      listed.push_back(std::move(file));
    }
  }
  if (listed.empty())
    throw Error(kDataMismatch,
                str_cat(annotations, " lists none of the ",
                        counted(static_cast<int64_t>(listing.images.size()), "image"),
                        ", such as \"", printable(listing.skipped.back().path), "\""),
                "drop --annotations, or give the images as the file names them");
  listing.images = std::move(listed);
  return ids;
}

/// By class.
std::vector<double> thresholds_of(const PredictOptions& options,
                                  const std::vector<std::string>& class_names) {
  constexpr double kUsual = 0.25;
  if (options.threshold) return std::vector<double>(class_names.size(), *options.threshold);
  const auto stored = stored_thresholds(options.weights, class_names);
  if (!stored) {
    log::info(
        str_cat("--threshold ", kUsual, ": the weights come without thresholds of their own"));
    return std::vector<double>(class_names.size(), kUsual);
  }
  const auto [least, most] = std::ranges::minmax(stored->classes);
  log::info(str_cat("score thresholds of the weights' validation, best F1 of each class: ",
                    least == most ? str_cat(least) : str_cat(least, " to ", most),
                    " (all classes: ", stored->overall, "); --threshold sets one for all"));
  return stored->classes;
}

void report_nothing_found(double highest, double threshold) {
  // Rounded down, so that the highest score passes.
  const double digits = std::pow(10, std::ceil(-std::log10(std::max(highest, 1e-6))) + 1);
  std::cout << "nothing has a score of " << threshold << " or more; the highest is "
            << fixed(highest, 4) << ": --threshold " << std::floor(highest * digits) / digits
            << " would show detections\n";
}

/// Why the boxes are not in the pixels that viewers show; empty: they are.
std::string reason_for_stored_pixels(const PredictOptions& options) {
  if (!options.exif) return "--no-exif";
  return options.annotations.empty()
             ? ""
             : "with --annotations boxes are in stored pixels, as in training";
}

void report_orientations(size_t count, const std::string& stored_because) {
  if (count == 0) return;
  const std::string images = counted(static_cast<int64_t>(count), "image");
  log::info(stored_because.empty()
                ? str_cat("EXIF orientation applied to ", images,
                          ": boxes are in the upright picture; --no-exif",
                          " keeps the stored pixels")
                : str_cat("EXIF orientation not applied to ", images, ": ", stored_because));
}

void report_skipped(const std::vector<FileNote>& skipped) {
  if (skipped.empty()) return;
  log::info(str_cat("skipped ", counted(static_cast<int64_t>(skipped.size()), "file"), ":\n",
                    group_by_reason(skipped)));
}

Error unreadable_error(const std::vector<FileNote>& unreadable, size_t images) {
  std::string text = str_cat(unreadable.size(), " of ",
                             counted(static_cast<int64_t>(images), "image"), " could not be read");
  for (const FileNote& note : unreadable)
    text += str_cat("\n  ", printable(note.path), ": ", note.reason);
  return Error(unreadable.front().code, text,
               str_cat(unreadable.size() < images ? "all other images were processed; " : "",
                       "convert formats that cannot be read to JPEG or PNG"));
}

/// One is thrown, after the others are printed.
void throw_any(const std::vector<Error>& failures) {
  if (failures.empty()) return;
  for (size_t k = 0; k + 1 < failures.size(); ++k) log::error(failures[k].what());
  throw failures.back();
}

}  // namespace

void predict_images(const PredictOptions& options) {
  const bool text = options.format == "text" || (options.format.empty() && options.output.empty());
  if (options.format == "coco" && options.output.empty())
    throw UsageError("--format coco needs --output DIR");
  if (options.threshold && !(*options.threshold >= 0 && *options.threshold <= 1))  // NaN is neither
    throw UsageError(
        str_cat("--threshold ", *options.threshold, ": expected a number from 0 to 1"));
  ImageListing listing = collect_images(options.images);
  const AnnotatedSet annotated =
      options.annotations.empty() ? AnnotatedSet() : read_annotated_set(options.annotations);
  const auto ids = image_ids(listing, options.annotations, annotated);
  const auto& files = listing.images;
  std::optional<ResultFolder> output;
  auto pictures = options.output.empty() ? std::vector<std::filesystem::path>()
                                         : drawn_pictures(files, options.output);
  LoadedModel loaded = load_model(options.weights, parse_device(options.device));
  loaded.model->prepare_for_inference();
  const std::vector<double> thresholds = thresholds_of(options, loaded.description.class_names);
  const CategoryIds categories =
      category_ids(options.weights, loaded.description, options.annotations, annotated.categories);
  name_known_classes(loaded.description);
  const ImageSize size = options.image_size.value_or(
      ImageSize{loaded.description.image_height, loaded.description.image_width});
  if (!options.output.empty()) output.emplace(options.output, std::move(pictures));
  const std::string stored_because = reason_for_stored_pixels(options);

  if (!options.output.empty()) {  // text has no ids
    if (!categories.note.empty()) log::info(categories.note);
    if (!categories.warning.empty()) log::warn(categories.warning);
  }

  std::vector<Prediction> all;
  std::vector<FileNote> unreadable = listing.unreadable;
  double highest = 0;
  size_t oriented = 0;
  ThreadPool readers(1);  // reads the next images while the model computes
  ProgressLine progress("processed");
  ordered_parallel(
      readers, files.size(), /*window=*/4,
      [&](size_t i) { return load_image(files[i].path, size, stored_because.empty()); },
      [&](size_t i, LoadedImage picture) {
        progress.count(static_cast<int64_t>(i + 1), static_cast<int64_t>(files.size()), "image");
        if (!picture.problem.empty()) {
          unreadable.push_back({files[i].path, picture.problem, picture.code});
          return;
        }
        if (picture.oriented) ++oriented;
        std::vector<Prediction> found;
        {
          const ErrorContext at("on ", [&] { return printable(files[i].path); });
          found = detect(loaded, categories.ids, picture, thresholds, highest);
        }
        for (auto& p : found) {
          p.image_id = ids[i];
          p.file_name = files[i].name;
          if (text) std::cout << format_text(p) << "\n";
        }
        if (output) output->draw(i, picture.image, found);
        all.insert(all.end(), std::make_move_iterator(found.begin()),
                   std::make_move_iterator(found.end()));
      });

  const size_t images = files.size() + listing.unreadable.size(), read = images - unreadable.size();
  if (output) {
    output->write(all);
    std::cout << counted(static_cast<int64_t>(all.size()), "detection") << " on "
              << counted(static_cast<int64_t>(read), "image") << ": "
              << printable(output->predictions_file()) << "\n";
  }
  if (all.empty() && read > 0) report_nothing_found(highest, *std::ranges::min_element(thresholds));
  std::cout << std::flush;  // before what goes to stderr
  report_orientations(oriented, stored_because);
  report_skipped(listing.skipped);
  std::vector<Error> failures;
  if (output && output->failure()) failures.push_back(*output->failure());
  if (!unreadable.empty()) failures.push_back(unreadable_error(unreadable, images));
  throw_any(failures);
}

}  // namespace dfine::inline predict
