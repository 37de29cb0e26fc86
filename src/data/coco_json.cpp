#include "data/coco_json.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace dfine {
namespace {

namespace json = simdjson::ondemand;

// Bits of the keys seen in a record, to find keys given twice.
using Seen = uint32_t;

class Parser {
 public:
  explicit Parser(const std::filesystem::path& path) : path_(path) {
    if (std::error_code failed; std::filesystem::is_directory(path, failed))
      throw Error(cat(path.string(), " is a folder, not an annotation file"));
    const auto error = simdjson::padded_string::load(path.string()).get(text_);
    if (error != simdjson::SUCCESS) throw Error(cat("cannot read ", path.string()), "check the path and its permissions");
  }

  RawCoco read() {
    if (text_.size() > std::numeric_limits<uint32_t>::max() - simdjson::SIMDJSON_PADDING) {
      throw Error(cat(path_.string(), ": annotation files of 4 GiB and more cannot be read"), "split it into several data sets");
    }
    // The first pass over the text fails as a whole: there is no place to name, and asking for one would read an index that was not made.
    if (const auto error = parser_.iterate(text_).get(document_); error != simdjson::SUCCESS)
      fatal(cat("is broken JSON: ", simdjson::error_message(error)), kBroken);
    json::object top;
    const auto error = document_.get_object().get(top);
    if (error == simdjson::INCORRECT_TYPE) fatal("is not a JSON object", kNotCoco);
    if (error != simdjson::SUCCESS) fatal(cat("is broken JSON: brackets are left open at its end, byte ", text_.size()), kBroken);
    Seen seen = 0;
    for (auto entry : top) {
      json::field field;
      check(std::move(entry).get(field));
      const std::string key(unescaped(field));
      if (key == "images") {
        once(seen, 1, key);
        list(field.value(), key, [&](json::object record, size_t i) { image(record, i); });
      } else if (key == "annotations") {
        once(seen, 2, key);
        list(field.value(), key, [&](json::object record, size_t i) { annotation(record, i); });
      } else if (key == "categories") {
        once(seen, 4, key);
        list(field.value(), key, [&](json::object record, size_t i) { category(record, i); });
      }
    }
    if (document_.current_location().error() != simdjson::OUT_OF_BOUNDS) fatal(cat("has text after its end", place()), kBroken);
    for (const auto& [bit, key] : {std::pair{1U, "images"}, {2U, "annotations"}, {4U, "categories"}}) {
      if ((seen & bit) == 0) fatal(cat("has no list \"", key, "\""), kNotCoco);
    }
    return std::move(result_);
  }

 private:
  static constexpr const char* kNotCoco =
      "a COCO annotation file is an object with the lists images, annotations (may be empty) and categories";
  static constexpr const char* kBroken = "the file may be cut off or edited by hand; python3 -m json.tool FILE shows the place";

  [[noreturn]] void fatal(const std::string& what, const char* hint) const { throw Error(cat(path_.string(), " ", what), hint); }

  size_t offset() {
    const char* at = nullptr;
    return document_.current_location().get(at) == simdjson::SUCCESS ? static_cast<size_t>(at - text_.data()) : text_.size();
  }

  std::string place() {
    const size_t at = offset();
    return cat(" (at byte ", at, ", line ", 1 + std::count(text_.data(), text_.data() + at, '\n'), ")");
  }

  void check(simdjson::error_code error) {
    if (error != simdjson::SUCCESS) fatal(cat("is broken JSON: ", simdjson::error_message(error), place()), kBroken);
  }

  std::string_view unescaped(json::field& field) {
    std::string_view key;
    check(field.unescaped_key().get(key));
    return key;
  }

  void once(Seen& seen, Seen bit, std::string_view key) {
    if ((seen & bit) != 0) fatal(cat("has the key \"", key, "\" twice", place()), "remove one of them");
    seen |= bit;
  }

  template <class Record>
  void list(json::value value, std::string_view key, Record record) {
    json::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) fatal(cat("has \"", key, "\" that is not a list", place()), kNotCoco);
    size_t index = 0;
    for (auto entry : array) {
      json::value element;
      check(std::move(entry).get(element));
      json::object object;
      if (element.get_object().get(object) != simdjson::SUCCESS)
        fatal(cat("has ", key, "[", index, "] that is not an object", place()), kNotCoco);
      record(object, index++);
    }
  }

  // --- values of a record: what is wrong goes to fault_ and the value stays unset -----------------------------------------------------

  void fault(std::string_view key, std::string_view what) {
    if (!fault_.empty()) fault_ += ", ";
    fault_ += cat(key, " ", what, " (at byte ", offset(), ")");
  }

  bool fresh(Seen& seen, Seen bit, std::string_view key) {
    if ((seen & bit) != 0) fault(key, "is given twice");
    const bool first = (seen & bit) == 0;
    seen |= bit;
    return first;
  }

  /// A finite number, or nothing and a fault.
  std::optional<double> number(json::value value, std::string_view key) {
    const std::string_view token = value.raw_json_token();
    if (token.starts_with("NaN")) {
      fault(key, "holds NaN");
    } else if (token.starts_with("Inf") || token.starts_with("-Inf")) {
      fault(key, "holds Infinity");
    } else if (double result = 0; value.get_double().get(result) != simdjson::SUCCESS) {
      fault(key, "holds something that is not a number");
    } else if (!std::isfinite(result)) {
      fault(key, "holds a number that is too large");
    } else {
      return result;
    }
    return std::nullopt;
  }

  std::optional<int64_t> integer(json::value value, std::string_view key) {
    if (int64_t exact = 0; value.get_int64().get(exact) == simdjson::SUCCESS) return exact;
    const auto real = number(value, key);
    if (!real) return std::nullopt;
    constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double stands for several integers
    if (*real != std::floor(*real) || std::abs(*real) > kExact) {
      fault(key, "is not an integer");
      return std::nullopt;
    }
    return static_cast<int64_t>(*real);
  }

  std::optional<std::string> string(json::value value, std::string_view key) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      fault(key, "is not a string");
      return std::nullopt;
    }
    return std::string(text);
  }

  int32_t side(json::value value, std::string_view key) {
    const auto length = integer(value, key);
    if (length && (*length <= 0 || *length > std::numeric_limits<int32_t>::max())) fault(key, cat("is ", *length));
    return length ? static_cast<int32_t>(std::clamp<int64_t>(*length, 0, std::numeric_limits<int32_t>::max())) : -1;
  }

  static bool is_null(json::value value) { return value.raw_json_token().starts_with("null"); }

  void bbox(json::value value, std::array<double, 4>& out) {
    json::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return fault("bbox", "is not a list");
    size_t count = 0;
    for (auto entry : array) {
      json::value element;
      check(std::move(entry).get(element));
      if (count < 4) {
        if (const auto part = number(element, "bbox")) out[count] = *part;
      }
      ++count;
    }
    if (count != 4) fault("bbox", cat("has ", count, " numbers instead of 4"));
  }

  void flag(json::value value, bool& out) {
    bool truth = false;
    if (value.get_bool().get(truth) == simdjson::SUCCESS) {
      out = truth;
    } else if (const auto number_form = integer(value, "iscrowd")) {
      if (*number_form != 0 && *number_form != 1) fault("iscrowd", cat("is ", *number_form, " instead of 0 or 1"));
      out = *number_form != 0;
    }
  }

  // --- records -----------------------------------------------------------------------------------------------------------------------

  /// Calls `take(key, value)` for each key; afterwards reports the keys of `required` that were not among them.
  template <class Take>
  void fields(json::object record, std::initializer_list<std::string_view> known, size_t required, Take take) {
    fault_.clear();
    Seen seen = 0;
    for (auto entry : record) {
      json::field field;
      check(std::move(entry).get(field));
      const std::string_view key = unescaped(field);
      const auto found = std::find(known.begin(), known.end(), key);
      if (found == known.end()) continue;
      const Seen bit = 1U << (found - known.begin());
      if (fresh(seen, bit, *found)) take(*found, field.value());
    }
    size_t i = 0;
    for (const auto key : known) {
      if (i < required && (seen & (1U << i)) == 0) fault(key, "is missing");
      ++i;
    }
  }

  void image(json::object record, size_t index) {
    RawImage& raw = result_.images.emplace_back();
    fields(record, {"id", "file_name", "width", "height"}, 2, [&](std::string_view key, json::value value) {
      if (key == "id") raw.id = integer(value, key);
      if (key == "file_name") raw.image.file_name = string(value, key).value_or("");
      if (key == "width") raw.image.width = side(value, key);
      if (key == "height") raw.image.height = side(value, key);
    });
    if (!fault_.empty()) result_.image_faults.push_back({index, fault_});
  }

  void annotation(json::object record, size_t index) {
    RawAnnotation& raw = result_.annotations.emplace_back();
    CocoAnnotation& annotation = raw.annotation;
    std::optional<double> area;
    fields(record, {"id", "image_id", "category_id", "bbox", "area", "iscrowd"}, 4, [&](std::string_view key, json::value value) {
      if (key == "id") raw.id = integer(value, key);
      if (key == "image_id") raw.image_id = integer(value, key);
      if (key == "category_id") raw.category_id = integer(value, key);
      if (key == "bbox") bbox(value, annotation.bbox);
      if (key == "area" && !is_null(value)) area = number(value, key);
      if (key == "iscrowd" && !is_null(value)) flag(value, annotation.iscrowd);
    });
    annotation.area_given = area.has_value();
    annotation.area = area.value_or(annotation.bbox[2] * annotation.bbox[3]);
    if (!fault_.empty()) result_.annotation_faults.push_back({index, fault_});
  }

  void category(json::object record, size_t index) {
    Category& category = result_.categories.emplace_back();
    fields(record, {"id", "name"}, 2, [&](std::string_view key, json::value value) {
      if (key == "id") category.id = integer(value, key).value_or(0);
      if (key == "name") category.name = string(value, key).value_or("");
    });
    if (!fault_.empty()) fatal(cat("has an unusable categories[", index, "]: ", fault_), "every category needs an integer id and a name");
  }

  const std::filesystem::path path_;
  simdjson::padded_string text_;
  json::parser parser_;
  json::document document_;
  RawCoco result_;
  std::string fault_;  // of the record being read
};

}  // namespace

RawCoco read_coco_json(const std::filesystem::path& path) {
  return Parser(path).read();
}

}  // namespace dfine
