#include "metrics/coco_json.h"

#include <simdjson.h>

#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "data/coco_json.h"
#include "data/file_kind.h"
#include "data/json_number.h"

namespace dfine {
namespace {

namespace json = simdjson::ondemand;

double read_number(json::value value, const char* key) {
  std::string problem;
  const auto number = read_json_number(value, problem);
  if (!number) throw Error(cat(key, " ", problem));
  return *number;
}

int64_t read_integer(json::value value, const char* key) {
  std::string problem;
  const auto integer = read_json_integer(value, problem);
  if (!integer) throw Error(cat(key, " ", problem));
  return *integer;
}

std::array<double, 4> read_bbox(json::value value) {
  std::array<double, 4> xywh{};
  json::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS)
    throw Error(cat("bbox ", describe_json_mismatch(value, "a list")));
  size_t count = 0;
  for (json::value element : list) {
    if (count < xywh.size()) xywh[count] = read_number(element, "bbox");
    ++count;
  }
  if (count != xywh.size()) throw Error(cat("bbox has ", count, " numbers instead of 4"));
  return xywh;
}

Detection read_detection(json::value value) {
  json::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) throw Error(cat("the record ", describe_json_mismatch(value, "an object")));
  Detection detection;
  bool image = false, category = false, bbox = false, score = false;
  for (json::field field : object) {
    const json::raw_json_string key = field.key();
    if (key == "image_id") {
      detection.image_id = read_integer(field.value(), "image_id");
      image = true;
    } else if (key == "category_id") {
      detection.category_id = read_integer(field.value(), "category_id");
      category = true;
    } else if (key == "bbox") {
      detection.xywh = read_bbox(field.value());
      bbox = true;
    } else if (key == "score") {
      detection.score = read_number(field.value(), "score");
      score = true;
    }
  }
  if (!image || !category || !bbox || !score) {
    throw Error(cat(!image ? "image_id" : !category ? "category_id" : !bbox ? "bbox" : "score", " is missing"));
  }
  return detection;
}

[[noreturn]] void refuse_no_list(json::document& document, std::string_view text, const std::filesystem::path& file) {
  json::object object;
  if (std::string_view first; document.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(first) == simdjson::SUCCESS) {
    const auto first_end = static_cast<size_t>(first.data() + first.size() - text.data());
    const size_t second = text.find_first_not_of(" \t\r\n", first_end);
    if (const auto lines = recognise_json_lines(text, second)) throw Error(cat(file.string(), " ", lines->what), lines->hint);
  }
  throw Error(cat(file.string(), " is not a list"),
              R"(results are [{"image_id": .., "category_id": .., "bbox": [x, y, w, h], "score": ..}, ...])");
}

}  // namespace

GroundTruth read_coco_ground_truth(const std::filesystem::path& file) {
  RawCoco raw = read_coco_json(file, static_cast<int>(std::thread::hardware_concurrency()));
  for (const RawFault& fault : raw.image_faults) {
    if (!raw.images[fault.record].id) throw Error(cat(file.string(), ": images[", fault.record, "]: ", fault.message));
  }
  if (!raw.annotation_faults.empty()) {
    const RawFault& fault = raw.annotation_faults.front();
    throw Error(cat(file.string(), ": annotations[", fault.record, "]: ", fault.message),
                raw.annotation_faults.size() > 1 ? cat(raw.annotation_faults.size() - 1, " more annotations are unusable") : "");
  }
  GroundTruth truth;
  truth.categories = std::move(raw.categories);
  truth.image_ids.reserve(raw.images.size());
  for (const RawImage& image : raw.images) truth.image_ids.push_back(*image.id);
  truth.boxes.reserve(raw.annotations.size());
  raw.annotations.for_each([&](size_t, const RawAnnotation& raw_annotation) {
    const auto& [id, image_id, category_id, annotation] = raw_annotation;
    truth.boxes.push_back({.image_id = *image_id,
                           .category_id = *category_id,
                           .annotation_id = *id,
                           .xywh = annotation.bbox,
                           .area = annotation.area,
                           .iscrowd = annotation.iscrowd});
  });
  return truth;
}

std::vector<Detection> read_coco_detections(const std::filesystem::path& file) {
  if (std::error_code failed; !std::filesystem::exists(file, failed))
    throw Error(cat("cannot read ", file.string(), ": no such file"), "check the path and its permissions");
  simdjson::padded_string bytes;
  if (simdjson::padded_string::load(file.string()).get(bytes) != simdjson::SUCCESS) {
    throw Error(cat("cannot read ", file.string()), "check the path and its permissions");
  }
  if (const auto kind = recognise_no_json(bytes)) throw Error(cat(file.string(), " ", kind->what), kind->hint);
  const std::string_view text = without_byte_order_mark(bytes);
  std::vector<Detection> detections;
  try {
    json::parser parser;
    json::document document = parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
    json::array list;
    const auto error = document.get_array().get(list);
    if (error == simdjson::INCORRECT_TYPE) refuse_no_list(document, text, file);
    if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
    for (json::value element : list) {
      with_context([&] { detections.push_back(read_detection(element)); },
                   [&] { return cat("in record ", detections.size(), " (from 0) of ", file.string()); });
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) throw Error(cat(file.string(), " has text after its end"));
  } catch (const simdjson::simdjson_error& e) {
    throw Error(cat(file.string(), " is broken JSON after record ", detections.size(), ": ", e.what()), "is the file complete?");
  }
  return detections;
}

}  // namespace dfine
