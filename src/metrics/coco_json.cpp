#include "metrics/coco_json.h"

#include <simdjson.h>

#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/coco/json_number.h"
#include "data/coco/raw_coco.h"
#include "data/coco/unexpected_file.h"
#include "files/mapped_file.h"
#include "metrics/scan_results.h"

namespace dfine::inline metrics {
using enum ErrorCode;
namespace {

namespace json = simdjson::ondemand;

double read_number(json::value value, const char* key) {
  std::string problem;
  const auto number = read_json_number(value, problem);
  if (!number) throw Error(kRecordInvalid, str_cat(key, " ", problem));
  return *number;
}

int64_t read_integer(json::value value, const char* key) {
  std::string problem;
  const auto integer = read_json_integer(value, problem);
  if (!integer) throw Error(kRecordInvalid, str_cat(key, " ", problem));
  return *integer;
}

std::array<double, 4> read_bbox(json::value value) {
  std::array<double, 4> xywh{};
  json::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS)
    throw Error(kRecordInvalid, str_cat("bbox ", describe_json_mismatch(value, "a list")));
  size_t count = 0;
  for (json::value element : list) {
    if (count < xywh.size()) xywh[count] = read_number(element, "bbox");
    ++count;
  }
  if (count != xywh.size())
    throw Error(kRecordInvalid, str_cat("bbox has ", count, " numbers instead of 4"));
  return xywh;
}

/// The names in records, one record after the other.
class NameReader {
 public:
  explicit NameReader(ResultNames* out) : out_(out) {}

  void file_name(json::value value) {
    if (out_ != nullptr) file_.read(value, "file_name");
  }
  void category_name(json::value value) {
    if (out_ != nullptr) category_.read(value, "category_name");
  }

  void end_record(size_t record, const Detection& detection) {
    if (out_ == nullptr) return;
    end_file(record, detection.image_id);
    end_category(detection.category_id);
    file_.next();
    category_.next();
  }

 private:
  struct Name {
    std::string_view token,
        last_token;    // unchanged, of this record and the one before; empty: none
    std::string text;  // of the last name read

    /// Most records repeat the name of the one before: that is seen without unescaping.
    void read(json::value value, const char* key) {
      token = value.raw_json_token();
      if (token.starts_with("null") || token.starts_with("\"\"")) token = {};
      if (token.empty() || token == last_token) return;
      std::string_view unescaped;
      if (value.get_string().get(unescaped) != simdjson::SUCCESS)
        throw Error(kRecordInvalid, str_cat(key, " ", describe_json_mismatch(value, "a string")));
      text = unescaped;
    }
    void next() { last_token = std::exchange(token, {}); }
  };

  void end_file(size_t record, int64_t image_id) {
    auto& files = out_->files;
    const bool named = !file_.token.empty();
    if (files.empty() && !named) return;
    if (files.empty() && record > 0) files.push_back({});
    const bool same = !files.empty() && file_.token == file_.last_token &&
                      (!named || files.back().image_id == image_id);
    if (!same) files.push_back({record, image_id, named ? file_.text : ""});
  }

  void end_category(int64_t id) {
    if (category_.token.empty()) {
      out_->unnamed_categories = true;
      return;
    }
    const auto [place, is_new] = category_of_id_.emplace(id, out_->categories.size());
    if (is_new) out_->categories.push_back({id, category_.text});
    if (const std::string& name = out_->categories[place->second].name; name != category_.text)
      throw Error(kRecordInvalid, str_cat("category_id ", id, " is called \"", category_.text,
                                          "\", and \"", name, "\" in a record before"));
  }

  ResultNames* out_;
  Name file_, category_;
  std::unordered_map<int64_t, size_t> category_of_id_;
};

Detection read_detection(json::value value, NameReader& names) {
  json::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS)
    throw Error(kRecordInvalid, str_cat("the record ", describe_json_mismatch(value, "an object")));
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
    } else if (key == "file_name") {
      names.file_name(field.value());
    } else if (key == "category_name") {
      names.category_name(field.value());
    }
  }
  if (!image || !category || !bbox || !score) {
    throw Error(kRecordInvalid, str_cat(!image      ? "image_id"
                                        : !category ? "category_id"
                                        : !bbox     ? "bbox"
                                                    : "score",
                                        " is missing"));
  }
  return detection;
}

[[noreturn]] void refuse_no_list(json::document& document, std::string_view text,
                                 const std::filesystem::path& file) {
  json::object object;
  if (std::string_view first; document.get_object().get(object) == simdjson::SUCCESS &&
                              object.raw_json().get(first) == simdjson::SUCCESS) {
    const auto first_end = static_cast<size_t>(first.data() + first.size() - text.data());
    const size_t second = text.find_first_not_of(" \t\r\n", first_end);
    if (const auto lines = recognise_json_lines(text, second))
      throw Error(kFormatInvalid, str_cat(file.string(), " ", lines->what), lines->hint);
  }
  throw Error(
      kFormatInvalid, str_cat(file.string(), " is not a list"),
      R"(results are [{"image_id": .., "category_id": .., "bbox": [x, y, w, h], "score": ..}, )"
      R"(...])");
}

int threads_or_cores(int threads) {
  return threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
}

/// Of a file in the form that programs write; nothing of others.
std::optional<std::vector<Detection>> read_quickly(const std::filesystem::path& path,
                                                   ResultNames* names, int threads) {
  if (std::error_code failed; !std::filesystem::is_regular_file(path, failed)) return std::nullopt;
  const ByteFile file(path);
  const uint64_t size = file.size();
  if (size == 0) return std::nullopt;
  const MappedFile mapping(file, 0, size);
  const auto bytes = mapping.bytes(0, size);
  constexpr uint64_t kSmall = 1 << 20;  // read before threads have begun
  ThreadPool pool(size < kSmall || threads == 1 ? 0 : threads);
  return scan_results({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, names, pool);
}

}  // namespace

GroundTruth read_coco_ground_truth(const std::filesystem::path& file, int threads) {
  RawCoco raw = read_coco_json(file, threads_or_cores(threads));
  for (const RawFault& fault : raw.image_faults) {
    if (!raw.images[fault.record].id)
      throw Error(kRecordInvalid,
                  str_cat(file.string(), ": images[", fault.record, "]: ", fault.message));
  }
  if (!raw.annotation_faults.empty()) {
    const RawFault& fault = raw.annotation_faults.front();
    throw Error(kRecordInvalid,
                str_cat(file.string(), ": annotations[", fault.record, "]: ", fault.message),
                raw.annotation_faults.size() > 1
                    ? str_cat(raw.annotation_faults.size() - 1, " more annotations are unusable")
                    : "");
  }
  GroundTruth truth;
  truth.categories = std::move(raw.categories);
  truth.image_ids.reserve(raw.images.size());
  truth.file_names.reserve(raw.images.size());
  for (RawImage& image : raw.images) {
    truth.image_ids.push_back(*image.id);
    truth.file_names.push_back(std::move(image.image.file_name));
  }
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

std::vector<Detection> read_coco_detections(const std::filesystem::path& file, ResultNames* names,
                                            int threads) {
  if (std::error_code failed; !std::filesystem::exists(file, failed))
    throw Error(kFileMissing, str_cat("cannot read ", file.string(), ": no such file"),
                "check the path and its permissions");
  if (auto quick = read_quickly(file, names, threads_or_cores(threads))) return std::move(*quick);
  simdjson::padded_string bytes;
  if (simdjson::padded_string::load(file.string()).get(bytes) != simdjson::SUCCESS) {
    throw Error(kFileUnreadable, str_cat("cannot read ", file.string()),
                "check the path and its permissions");
  }
  if (const auto kind = recognise_no_json(bytes))
    throw Error(kFormatInvalid, str_cat(file.string(), " ", kind->what), kind->hint);
  const std::string_view text = without_byte_order_mark(bytes);
  std::vector<Detection> detections;
  NameReader name_reader(names);
  try {
    json::parser parser;
    json::document document =
        parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
    json::array list;
    const auto error = document.get_array().get(list);
    if (error == simdjson::INCORRECT_TYPE) refuse_no_list(document, text, file);
    if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
    for (json::value element : list) {
      const size_t record = detections.size();
      const ErrorContext at("in record ", record, " (from 0) of ", [&] { return file.string(); });
      detections.push_back(read_detection(element, name_reader));
      name_reader.end_record(record, detections.back());
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      throw Error(kFormatInvalid, str_cat(file.string(), " has text after its end"));
  } catch (const simdjson::simdjson_error& e) {
    if (const auto other = recognise_no_utf8(text))
      throw Error(kFormatInvalid, str_cat(file.string(), " ", other->what), other->hint);
    throw Error(
        kFormatInvalid,
        str_cat(file.string(), " is broken JSON after record ", detections.size(), ": ", e.what()),
        "is the file complete?");
  }
  return detections;
}

}  // namespace dfine::inline metrics
