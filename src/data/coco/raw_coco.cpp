#include "data/coco/raw_coco.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/class_names.h"
#include "data/coco/json_lists.h"
#include "data/coco/json_number.h"
#include "data/coco/unexpected_file.h"
#include "files/mapped_file.h"

namespace dfine::inline coco {
using enum ErrorCode;
namespace {

namespace json = simdjson::ondemand;

// Bits of the keys seen in a record, to find keys given twice.
using Seen = uint32_t;

constexpr std::array<std::string_view, 3> kLists{"images", "annotations", "categories"};

constexpr const char* kNotCoco =
    "a COCO annotation file is an object with the lists images, annotations (may be empty) and "
    "categories";
constexpr const char* kBroken =
    "the file may be cut off or edited by hand; python3 -m json.tool FILE shows the place";

/// The whole annotation file, for messages.
struct Source {
  const std::filesystem::path& path;
  std::string_view text;

  std::string place(uint64_t offset) const {
    return str_cat(
        " (at byte ", offset, ", line ",
        1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(offset), '\n'), ")");
  }
  [[noreturn]] void fatal(const std::string& what, std::string hint,
                          ErrorCode code = kFormatInvalid) const {
    throw Error(code, str_cat(path.string(), " ", what), std::move(hint));
  }
  [[noreturn]] void broken(const std::string& what) const {
    if (const auto other = recognise_no_utf8(text)) fatal(other->what, other->hint);
    fatal(what, kBroken);
  }
};

/// Parses pieces of the file, one after another; each thread has its own.
class PieceParser {
 public:
  RawCocoPiece parse(const Source& source, const JsonPiece& piece) {
    source_ = &source;
    base_ = piece.offset - 1;
    result_ = {};
    text_.assign("[").append(piece.text).append("]");
    text_.reserve(text_.size() + simdjson::SIMDJSON_PADDING);
    // The first pass over the text fails as a whole. There is no place to name, and asking for one
    // would read an index that was not made.
    if (const auto error =
            parser_.iterate(text_.data(), text_.size(), text_.capacity()).get(document_);
        error != simdjson::SUCCESS)
      source.broken(str_cat("is broken JSON: ", simdjson::error_message(error), " after",
                            source.place(piece.offset)));
    json::array array;
    check(document_.get_array().get(array));
    size_t index = piece.first_record;
    for (auto entry : array) {
      json::value element;
      check(std::move(entry).get(
          element));  // NOLINT(performance-move-const-arg): get() takes rvalues alone
      json::object record;
      check(element.get_object().get(record));
      if (piece.list == 0) image(record, index);
      if (piece.list == 1) annotation(record, index);
      if (piece.list == 2) category(record, index);
      ++index;
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fatal(const std::string& what, const char* hint, ErrorCode code) const {
    source_->fatal(what, hint, code);
  }

  /// Place in the file.
  uint64_t offset() {
    const char* at = nullptr;
    const bool known = document_.current_location().get(at) == simdjson::SUCCESS;
    return base_ + (known ? static_cast<size_t>(at - text_.data()) : text_.size());
  }

  void check(simdjson::error_code error) {
    if (error == simdjson::SUCCESS) return;
    const std::string place = source_->place(offset());
    source_->broken(str_cat("is broken JSON: ", simdjson::error_message(error), place));
  }

  // --- values of a record: what is wrong goes to fault_ and the value stays unset
  // -----------------------------------------------------

  void fault(std::string_view key, std::string_view what) {
    if (!fault_.empty()) fault_ += ", ";
    fault_ += str_cat(key, " ", what, " (at byte ", offset(), ")");
  }

  bool fresh(Seen& seen, Seen bit, std::string_view key) {
    if ((seen & bit) != 0) fault(key, "is given twice");
    const bool first = (seen & bit) == 0;
    seen |= bit;
    return first;
  }

  /// A finite number, or nothing and a fault.
  std::optional<double> number(json::value value, std::string_view key) {
    const auto result = read_json_number(value, problem_);
    if (!result) fault(key, problem_);
    return result;
  }

  std::optional<int64_t> integer(json::value value, std::string_view key) {
    const auto result = read_json_integer(value, problem_);
    if (!result) fault(key, problem_);
    return result;
  }

  std::optional<std::string> string(json::value value, std::string_view key) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      fault(key, describe_json_mismatch(value, "a string"));
      return std::nullopt;
    }
    return std::string(text);
  }

  int32_t side(json::value value, std::string_view key) {
    const auto length = integer(value, key);
    if (length && (*length <= 0 || *length > std::numeric_limits<int32_t>::max()))
      fault(key, str_cat("is ", *length));
    return length ? static_cast<int32_t>(
                        std::clamp<int64_t>(*length, 0, std::numeric_limits<int32_t>::max()))
                  : -1;
  }

  void bbox(json::value value, std::array<double, 4>& out) {
    json::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS)
      return fault("bbox", describe_json_mismatch(value, "a list"));
    size_t count = 0;
    for (auto entry : array) {
      json::value element;
      check(std::move(entry).get(
          element));  // NOLINT(performance-move-const-arg): get() takes rvalues alone
      if (count < 4) {
        if (const auto part = number(element, "bbox")) out[count] = *part;
      }
      ++count;
    }
    const auto numbers = static_cast<long long>(count);
    if (numbers != 4) fault("bbox", str_cat("has ", counted(numbers, "number"), " instead of 4"));
  }

  void flag(json::value value, bool& out) {
    bool truth = false;
    if (value.get_bool().get(truth) == simdjson::SUCCESS) {
      out = truth;
    } else if (const auto number_form = integer(value, "iscrowd")) {
      if (*number_form != 0 && *number_form != 1)
        fault("iscrowd", str_cat("is ", *number_form, " instead of 0 or 1"));
      out = *number_form != 0;
    }
  }

  // --- records
  // -----------------------------------------------------------------------------------------------

  using Keys = std::initializer_list<std::string_view>;

  /// Most keys have no escapes, and need not be copied to be compared.
  Keys::iterator find_key(const Keys& known, json::field& field) {
    const std::string_view token = raw_key(field);
    if (token.find('\\') == std::string_view::npos)
      return std::find(known.begin(), known.end(), token);
    std::string_view key;
    check(field.unescaped_key().get(key));
    return std::find(known.begin(), known.end(), key);
  }

  static std::string_view raw_key(const json::field& field) {
    const char* begin = field.key().raw();
    const char* end = begin;
    for (; *end != '"'; ++end) {
      if (*end == '\\') ++end;
    }
    return {begin, static_cast<size_t>(end - begin)};
  }

  /// Calls `take(key, value)` for each key; afterwards reports the keys of `required` that were not
  /// among them.
  template <class Take>
  void fields(json::object record, Keys known, size_t required, Take take) {
    fault_.clear();
    Seen seen = 0;
    for (auto entry : record) {
      json::field field;
      check(std::move(entry).get(field));
      const auto found = find_key(known, field);
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
    fields(record, {"id", "file_name", "width", "height"}, 2,
           [&](std::string_view key, json::value value) {
             if (key == "id") raw.id = integer(value, key);
             if (key == "file_name") raw.image.file_name = string(value, key).value_or("");
             if (key == "width" && !is_json_null(value)) raw.image.width = side(value, key);
             if (key == "height" && !is_json_null(value)) raw.image.height = side(value, key);
           });
    if (!fault_.empty()) result_.image_faults.push_back({index, fault_});
  }

  void annotation(json::object record, size_t index) {
    RawAnnotation& raw = result_.annotations.emplace_back();
    CocoAnnotation& annotation = raw.annotation;
    std::optional<double> area;
    fields(record, {"id", "image_id", "category_id", "bbox", "area", "iscrowd"}, 4,
           [&](std::string_view key, json::value value) {
             if (key == "id") raw.id = integer(value, key);
             if (key == "image_id") raw.image_id = integer(value, key);
             if (key == "category_id") raw.category_id = integer(value, key);
             if (key == "bbox") bbox(value, annotation.bbox);
             if (key == "area" && !is_json_null(value)) area = number(value, key);
             if (key == "iscrowd" && !is_json_null(value)) flag(value, annotation.iscrowd);
           });
    annotation.area_given = area.has_value();
    annotation.area = area.value_or(annotation.bbox[2] * annotation.bbox[3]);
    if (!std::isfinite(annotation.area))
      fault("bbox", "is too large: width x height is no finite number");
    if (!fault_.empty()) result_.annotation_faults.push_back({index, fault_});
  }

  void category(json::object record, size_t index) {
    Category& category = result_.categories.emplace_back();
    std::string_view supercategory;
    fields(
        record, {"id", "name", "supercategory"}, 2, [&](std::string_view key, json::value value) {
          if (key == "id") category.id = integer(value, key).value_or(0);
          if (key == "supercategory" && value.get_string().get(supercategory) != simdjson::SUCCESS)
            supercategory = {};  // null, say
          if (key != "name") return;
          category.name = string(value, key).value_or("");
          if (fault_.empty() && is_blank(category.name)) fault("name", "is empty");
        });
    std::string group = folded_class_name(supercategory);
    if (!group.empty() && group != folded_class_name(category.name))
      result_.supercategories.push_back(std::move(group));
    if (!fault_.empty())
      fatal(str_cat("has an unusable categories[", index, "]: ", fault_),
            "every category needs an integer id and a name", kRecordInvalid);
  }

  const Source* source_ = nullptr;
  uint64_t base_ = 0;  // place in the file of text_'s first byte
  std::string text_;   // the piece as a list of its own, with room behind it as the parser needs
  json::parser parser_;
  json::document document_;
  RawCocoPiece result_;
  std::string fault_;    // of the record being read
  std::string problem_;  // with the value being read
};

template <class T>
void append(std::vector<T>& all, std::vector<T> more) {
  std::ranges::move(more, std::back_inserter(all));
}

constexpr size_t kPieceBytes = 1 << 18;  // stays in a core's cache

/// Hands pieces to threads, and puts together what they give in the order of the file.
class Reader {
 public:
  Reader(Source source, int jobs)
      : source_(source), limit_(4 * static_cast<size_t>(jobs) + 1), pool_(jobs) {}
  ~Reader() {
    for (auto& future : pending_) future.wait();  // they refer to the text
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  RawCoco read() {
    if (const auto kind = recognise_no_json(source_.text)) source_.fatal(kind->what, kind->hint);
    try {
      cut_json_lists(source_.text, kLists, kPieceBytes, [&](const JsonPiece& piece) {
        if (pending_.size() >= limit_) collect();
        pending_.push_back(pool_.submit([this, piece] {
          thread_local PieceParser parser;
          return parser.parse(source_, piece);
        }));
      });
    } catch (const JsonFault& fault) {
      while (!pending_.empty()) collect();  // what is wrong before it comes first
      if (fault.after_end) {
        if (const auto lines = recognise_json_lines(source_.text, fault.offset))
          source_.fatal(lines->what, lines->hint);
      }
      const std::string what = fault.what + (fault.offset > 0 ? source_.place(fault.offset) : "");
      if (fault.broken) source_.broken(what);
      source_.fatal(what, kNotCoco);
    }
    while (!pending_.empty()) collect();
    return std::move(all_);
  }

 private:
  void collect() {
    auto future = std::move(pending_.front());
    pending_.pop_front();
    RawCocoPiece piece = future.get();
    append(all_.images, std::move(piece.images));
    append(all_.categories, std::move(piece.categories));
    append(all_.supercategories, std::move(piece.supercategories));
    append(all_.image_faults, std::move(piece.image_faults));
    append(all_.annotation_faults, std::move(piece.annotation_faults));
    all_.annotations.add(std::move(piece.annotations));
  }

  Source source_;
  size_t limit_;  // pieces under way
  RawCoco all_;
  ThreadPool pool_;
  std::deque<std::future<RawCocoPiece>> pending_;
};

}  // namespace

RawCoco read_coco_json(const std::filesystem::path& path, int jobs) {
  if (std::error_code failed; std::filesystem::is_directory(path, failed))
    throw Error(kFileUnreadable, str_cat(path.string(), " is a folder, not an annotation file"),
                kNotCoco);
  if (std::error_code failed; !std::filesystem::exists(path, failed))
    throw Error(kFileMissing, str_cat("cannot read ", path.string(), ": no such file"),
                "check the path and its permissions");
  if (std::error_code failed; !std::filesystem::is_regular_file(path, failed))
    throw Error(kFileUnreadable, str_cat(path.string(), " is not a regular file"),
                "copy it to a file: pipes and devices cannot be read");
  const ByteFile file(path);
  const uint64_t size = file.size();
  const MappedFile mapping = size > 0 ? MappedFile(file, 0, size) : MappedFile();
  const auto bytes = size > 0 ? mapping.bytes(0, size) : std::span<const uint8_t>();
  const int threads =
      size > 2 * kPieceBytes ? jobs : 0;  // a small file is read before threads have begun
  return Reader({path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}, threads)
      .read();
}

}  // namespace dfine::inline coco
