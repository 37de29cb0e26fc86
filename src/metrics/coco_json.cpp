#include "metrics/coco_json.h"

#include <simdjson.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace dfine {
namespace {

namespace od = simdjson::ondemand;

std::string_view trimmed_token(od::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
    token.remove_suffix(1);
  constexpr size_t kShown = 40;
  return token.substr(0, kShown);
}

/// Runs `body`; errors of the parser become Error, and every Error tells where it happened.
template <class Body, class Where>
void in_place(const Body& body, const Where& where) {
  with_context(
      [&] {
        try {
          body();
        } catch (const simdjson::simdjson_error& e) {
          throw Error(cat("broken JSON: ", e.what()), "is the file complete?");
        }
      },
      where);
}

double read_number(od::value value, std::string_view key) {
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) throw Error(cat("\"", key, "\" is not a number: ", trimmed_token(value)));
  return number;
}

/// An integer, also written as 17.0.
int64_t read_integer(od::value value, std::string_view key) {
  int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return integer;
  constexpr double kExact = 9007199254740992;  // 2^53
  const double number = read_number(value, key);
  if (number != std::trunc(number) || std::abs(number) > kExact)
    throw Error(cat("\"", key, "\" is not an integer: ", trimmed_token(value)));
  return static_cast<int64_t>(number);
}

bool read_flag(od::value value, std::string_view key) {
  bool flag = false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag;
  return read_integer(value, key) != 0;
}

std::array<double, 4> read_bbox(od::value value) {
  std::array<double, 4> xywh{};
  od::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) throw Error(cat("\"bbox\" is not a list: ", trimmed_token(value)));
  size_t n = 0;
  for (od::value element : list) {
    if (n < xywh.size()) xywh[n] = read_number(element, "bbox");
    ++n;
  }
  if (n != xywh.size()) throw Error(cat("\"bbox\" has ", n, " numbers instead of 4 (x, y, width, height)"));
  return xywh;
}

/// The fields of a record that were seen; bits in the order of `names`.
template <size_t n>
void require(unsigned seen, const std::array<const char*, n>& names) {
  for (size_t i = 0; i < n; ++i) {
    if ((seen >> i & 1U) == 0) throw Error(cat("\"", names[i], "\" is missing"));
  }
}

template <class ReadRecord>
void for_each_record(od::array list, std::string_view list_name, const ReadRecord& read) {
  size_t record = 0;
  for (auto element : list) {
    in_place(
        [&] {
          od::object object;
          if (element.get_object().get(object) != simdjson::SUCCESS) throw Error("this is not an object {...}");
          read(object);
        },
        [&] { return cat("in record ", record, " (from 0) of ", list_name); });
    ++record;
  }
}

GroundTruthBox read_annotation(od::object object) {
  GroundTruthBox box;
  box.area = std::numeric_limits<double>::quiet_NaN();
  unsigned seen = 0;
  for (auto field : object) {
    const od::raw_json_string key = field.key();
    if (key == "id") {
      box.annotation_id = read_integer(field.value(), "id");
      seen |= 1U;
    } else if (key == "image_id") {
      box.image_id = read_integer(field.value(), "image_id");
      seen |= 2U;
    } else if (key == "category_id") {
      box.category_id = read_integer(field.value(), "category_id");
      seen |= 4U;
    } else if (key == "bbox") {
      box.xywh = read_bbox(field.value());
      seen |= 8U;
    } else if (key == "area") {
      box.area = read_number(field.value(), "area");
    } else if (key == "iscrowd") {
      box.iscrowd = read_flag(field.value(), "iscrowd");
    }
  }
  require<4>(seen, {"id", "image_id", "category_id", "bbox"});
  if (std::isnan(box.area)) box.area = box.xywh[2] * box.xywh[3];
  return box;
}

CocoCategory read_category(od::object object) {
  CocoCategory category;
  unsigned seen = 0;
  bool named = false;
  for (auto field : object) {
    const od::raw_json_string key = field.key();
    if (key == "id") {
      category.id = read_integer(field.value(), "id");
      seen |= 1U;
    } else if (key == "name") {
      std::string_view name;
      if (field.value().get_string().get(name) != simdjson::SUCCESS) throw Error("\"name\" is not a text");
      category.name = name;
      named = true;
    }
  }
  require<1>(seen, {"id"});
  if (!named) category.name = cat(category.id);
  return category;
}

int64_t read_image_id(od::object object) {
  int64_t id = 0;
  unsigned seen = 0;
  for (auto field : object) {
    if (field.key() == "id") {
      id = read_integer(field.value(), "id");
      seen |= 1U;
    }
  }
  require<1>(seen, {"id"});
  return id;
}

Detection read_detection(od::object object) {
  Detection detection;
  unsigned seen = 0;
  for (auto field : object) {
    const od::raw_json_string key = field.key();
    if (key == "image_id") {
      detection.image_id = read_integer(field.value(), "image_id");
      seen |= 1U;
    } else if (key == "category_id") {
      detection.category_id = read_integer(field.value(), "category_id");
      seen |= 2U;
    } else if (key == "bbox") {
      detection.xywh = read_bbox(field.value());
      seen |= 4U;
    } else if (key == "score") {
      detection.score = read_number(field.value(), "score");
      seen |= 8U;
    }
  }
  require<4>(seen, {"image_id", "category_id", "bbox", "score"});
  return detection;
}

/// The document of a whole file; the text stays in memory as long as this lives.
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& file) {
    const auto code = simdjson::padded_string::load(file.string()).get(text_);
    if (code != simdjson::SUCCESS) throw Error(cat("cannot read ", file.string()), "does it exist, and may you read it?");
    in_place([&] { document_ = parser_.iterate(text_); }, [&] { return cat("in ", file.string()); });
  }
  od::document& document() { return document_; }

  void require_end() {
    if (document_.current_location().error() != simdjson::OUT_OF_BOUNDS) throw Error("broken JSON: there is more text after its end");
  }

 private:
  simdjson::padded_string text_;
  od::parser parser_;
  od::document document_;
};

od::array read_list(od::value value, std::string_view key) {
  od::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) throw Error(cat("\"", key, "\" is not a list"));
  return list;
}

}  // namespace

GroundTruth read_coco_ground_truth(const std::filesystem::path& file) {
  GroundTruth truth;
  JsonFile json(file);
  in_place(
      [&] {
        od::object top;
        if (json.document().get_object().get(top) != simdjson::SUCCESS) {
          throw Error("this is not an object {...}",
                      "a COCO annotation file is {\"images\": [...], \"annotations\": [...], \"categories\": [...]}");
        }
        unsigned seen = 0;
        for (auto field : top) {
          const od::raw_json_string key = field.key();
          if (key == "images") {
            for_each_record(read_list(field.value(), "images"), "\"images\"",
                            [&](od::object image) { truth.image_ids.push_back(read_image_id(image)); });
            seen |= 1U;
          } else if (key == "annotations") {
            for_each_record(read_list(field.value(), "annotations"), "\"annotations\"",
                            [&](od::object annotation) { truth.boxes.push_back(read_annotation(annotation)); });
            seen |= 2U;
          } else if (key == "categories") {
            for_each_record(read_list(field.value(), "categories"), "\"categories\"",
                            [&](od::object category) { truth.categories.push_back(read_category(category)); });
            seen |= 4U;
          }
        }
        require<3>(seen, {"images", "annotations", "categories"});
        json.require_end();
      },
      [&] { return cat("in ", file.string()); });
  return truth;
}

std::vector<Detection> read_coco_detections(const std::filesystem::path& file) {
  std::vector<Detection> detections;
  JsonFile json(file);
  in_place(
      [&] {
        od::array list;
        if (json.document().get_array().get(list) != simdjson::SUCCESS) {
          throw Error("this is not a list [...]",
                      "results are [{\"image_id\": .., \"category_id\": .., \"bbox\": [x, y, w, h], \"score\": ..}, ...]");
        }
        for_each_record(list, "the list", [&](od::object detection) { detections.push_back(read_detection(detection)); });
        json.require_end();
      },
      [&] { return cat("in ", file.string()); });
  return detections;
}

}  // namespace dfine
