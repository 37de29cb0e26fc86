#include "predict.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <numeric>

#include "category_ids.h"
#include "core/atomic_path.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "drawn_pictures.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/encode.h"
#include "image/resize.h"
#include "input/batch.h"
#include "loaded_model.h"
#include "model/postprocess.h"
#include "predict_files.h"

namespace dfine {
namespace {

struct Picture {
  Image image;
  Tensor input;         // uint8 [1, 3, H, W]
  std::string problem;  // why it could not be read; empty: it could
};

std::vector<uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(cat("cannot open ", path.string(), ": ", std::strerror(errno)));
  return {std::istreambuf_iterator<char>(in), {}};
}

Picture load_picture(const std::filesystem::path& path, ImageSize size) {
  Picture picture;
  try {
    picture.image = with_context([&] { return decode_image(read_file(path)); }, [&] { return cat("reading ", path.string()); });
  } catch (const Error& e) {
    picture.problem = e.what();
    return picture;
  }
  picture.input = at::empty({1, 3, size.height, size.width}, at::kByte);
  resize_antialias_chw(picture.image, static_cast<int>(size.width), static_cast<int>(size.height), /*flip=*/false,
                       picture.input.data_ptr<uint8_t>());
  return picture;
}

/// The detections of one image with score >= threshold, highest score first; `highest` is the best score seen, kept or not.
std::vector<Prediction> detect(const LoadedModel& loaded, const std::vector<int64_t>& category_ids, const Picture& picture,
                               double threshold, double& highest) {
  const at::NoGradGuard no_grad;
  const auto output = loaded.model->forward(to_model_input(picture.input, loaded.device));
  const Detections found = postprocess(output.layers.back(), {{picture.image.height, picture.image.width}}).front();
  const Tensor scores = found.scores.cpu().to(at::kFloat).contiguous(), labels = found.labels.cpu().contiguous();
  const Tensor boxes = found.boxes.cpu().to(at::kFloat).contiguous();
  const bool has_names = loaded.has_class_names();
  std::vector<Prediction> kept;
  for (int64_t k = 0; k < scores.size(0); ++k) {
    const float score = scores.const_data_ptr<float>()[k];
    highest = std::max(highest, static_cast<double>(score));
    if (score < threshold) continue;
    const int64_t label = labels.const_data_ptr<int64_t>()[k];
    auto& p = kept.emplace_back();
    p.category_id = category_ids.at(static_cast<size_t>(label));
    p.label = loaded.class_name(label);
    p.has_name = has_names;
    p.class_index = label;
    std::copy_n(boxes.const_data_ptr<float>() + 4 * k, 4, p.xyxy.begin());
    p.score = score;
  }
  return kept;
}

void draw(Image& image, const std::vector<Prediction>& predictions, const std::filesystem::path& path) {
  std::vector<DrawnBox> boxes;
  for (auto p = predictions.rbegin(); p != predictions.rend(); ++p) {  // the best on top
    boxes.push_back(
        {p->xyxy[0], p->xyxy[1], p->xyxy[2], p->xyxy[3], static_cast<int>(p->class_index), cat(p->label, " ", fixed(p->score, 2))});
  }
  draw_boxes(image, boxes);
  const auto bytes = encode_jpeg(image);
  std::filesystem::create_directories(path.parent_path());
  write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// The image id of each file.
std::vector<int64_t> image_ids(const std::vector<ImageFile>& files, const std::string& annotations, const AnnotatedSet& annotated) {
  std::vector<int64_t> ids(files.size());
  std::iota(ids.begin(), ids.end(), 1);
  if (annotations.empty()) return ids;
  const auto& known = annotated.image_ids;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto found = known.find(files[i].name);
    if (found == known.end())
      throw Error(cat(annotations, " has no image with file_name \"", files[i].name, "\""),
                  "leave --annotations out, or give the images as the file names them");
    ids[i] = found->second;
  }
  return ids;
}

void report_nothing_found(double highest, double threshold) {
  // Rounded down, so that the highest score passes.
  const double digits = std::pow(10, std::ceil(-std::log10(std::max(highest, 1e-6))) + 1);
  std::cout << "nothing has a score of " << threshold << " or more; the highest is " << fixed(highest, 4) << ": --threshold "
            << std::floor(highest * digits) / digits << " would show something\n";
}

}  // namespace

void predict(const PredictOptions& options) {
  const bool text = options.format == "text" || (options.format.empty() && options.output.empty());
  if (options.format == "coco" && options.output.empty()) throw UsageError("--format coco needs --output DIR");
  if (!(options.threshold >= 0 && options.threshold <= 1))  // "not a number" is neither
    throw UsageError(cat("--threshold ", options.threshold, ": expected a number from 0 to 1"));
  const auto files = collect_images(options.images);
  const auto pictures = options.output.empty() ? std::vector<std::filesystem::path>() : drawn_pictures(files, options.output);
  const AnnotatedSet annotated = options.annotations.empty() ? AnnotatedSet() : read_annotated_set(options.annotations);
  const auto ids = image_ids(files, options.annotations, annotated);
  const LoadedModel loaded = load_model(options.weights, parse_device(options.device));
  const CategoryIds categories = category_ids(options.weights, loaded.description, options.annotations, annotated.categories);
  const ImageSize size = options.image_size.value_or(ImageSize{loaded.description.image_height, loaded.description.image_width});
  if (!options.output.empty()) std::filesystem::create_directories(options.output);

  if (!options.output.empty()) {  // text has no ids
    if (!categories.note.empty()) log::info(categories.note);
    if (!categories.warning.empty()) log::warn(categories.warning);
  }

  std::vector<Prediction> all;
  double highest = 0;
  size_t unreadable = 0;
  ThreadPool readers(1);  // reads the next images while the model computes
  ordered_parallel(
      readers, files.size(), /*window=*/4, [&](size_t i) { return load_picture(files[i].path, size); },
      [&](size_t i, Picture picture) {
        if (!picture.problem.empty()) {
          log::error(picture.problem);
          ++unreadable;
          return;
        }
        auto found = with_context([&] { return detect(loaded, categories.ids, picture, options.threshold, highest); },
                                  [&] { return cat("on ", files[i].path.string()); });
        for (auto& p : found) {
          p.image_id = ids[i];
          p.file_name = files[i].name;
          if (text) std::cout << format_text(p) << "\n";
        }
        if (!options.output.empty()) draw(picture.image, found, pictures[i]);
        all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
      });

  const size_t read = files.size() - unreadable;
  if (!options.output.empty()) {
    write_coco_results(options.output / "predictions.json", all);
    std::cout << all.size() << " detections on " << read << " images: " << (options.output / "predictions.json").string() << "\n";
  }
  if (all.empty() && read > 0) report_nothing_found(highest, options.threshold);
  if (unreadable > 0) {
    std::cout << std::flush;
    throw Error(cat(unreadable, " of ", counted(static_cast<int64_t>(files.size()), "image"), " could not be read"),
                "they are named above; the results are those of the others");
  }
}

}  // namespace dfine
