#include "metrics/scan_results.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include "data/coco/unexpected_file.h"
#include "metrics/plain_json.h"

namespace dfine::inline metrics {
namespace {

constexpr size_t kPieceBytes = 1 << 19;  // of text

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// The first place from `at` on that looks like the begin of a record behind another one; else
/// `end`.
const char* next_record(const char* at, const char* end) {
  while ((at = static_cast<const char*>(std::memchr(at, '}', static_cast<size_t>(end - at))))) {
    const char* next = std::find_if_not(++at, end, is_space);
    if (next == end) break;
    if (*next != ',') continue;
    next = std::find_if_not(next + 1, end, is_space);
    if (next != end && *next == '{') return next;
  }
  return end;
}

/// Consecutive records that are on one image and name one file; without a
/// name, on whatever images.
struct FileRun {
  size_t first;
  int64_t image_id;
  std::string_view name;

  bool continues(int64_t image, std::string_view file) const {
    return file == name && (file.empty() || image == image_id);
  }
};

/// Some consecutive records.
class Piece {
 public:
  /// Reads the records from `begin` to `end`; `list_end`: place of the list's bracket.
  bool read(const char* begin, const char* end, const char* list_end, bool with_names) {
    with_names_ = with_names;
    const auto bytes = static_cast<size_t>(end - begin);
    if (!simdjson::validate_utf8(begin, bytes)) return false;
    constexpr size_t kShortRecord = 64;
    detections.reserve(bytes / kShortRecord + 1);
    PlainJson json(begin, list_end);
    while (true) {
      if (!record(json)) return false;
      json.skip_spaces();
      if (json.at() == list_end) return end == list_end;
      if (!json.separator(',')) return false;
      if (json.at() >= end) return json.at() == end && end != list_end;
    }
  }

  std::vector<Detection> detections;
  std::vector<FileRun> files;
  std::vector<std::pair<int64_t, std::string_view>> categories;  // ids and names, each once
  bool unnamed_categories = false;

 private:
  enum Key : unsigned { kImage = 1, kCategory = 2, kBox = 4, kScore = 8, kAll = 15 };

  bool record(PlainJson& json) {
    Detection& detection = detections.emplace_back();
    std::string_view file, category;
    unsigned seen = 0;
    if (!json.take('{')) return false;
    json.skip_spaces();
    do {
      std::string_view key;
      if (!json.plain_string(key) || !json.separator(':')) return false;
      bool good = false;
      if (key == "image_id") {
        good = json.integer(detection.image_id);
        seen |= kImage;
      } else if (key == "category_id") {
        good = json.integer(detection.category_id);
        seen |= kCategory;
      } else if (key == "bbox") {
        good = box(json, detection.xywh);
        seen |= kBox;
      } else if (key == "score") {
        good = json.number(detection.score);
        seen |= kScore;
      } else if (with_names_ && key == "file_name") {
        good = json.plain_string(file);
      } else if (with_names_ && key == "category_name") {
        good = json.plain_string(category);
      } else {
        good = json.skip_value();
      }
      if (!good) return false;
    } while (json.separator(','));
    if (seen != kAll || !json.take('}')) return false;
    return !with_names_ || add_names(detection, file, category);
  }

  static bool box(PlainJson& json, std::array<double, 4>& xywh) {
    if (!json.take('[')) return false;
    json.skip_spaces();
    for (size_t i = 0; i < xywh.size(); ++i) {
      if ((i > 0 && !json.separator(',')) || !json.number(xywh[i])) return false;
    }
    json.skip_spaces();
    return json.take(']');
  }

  bool add_names(const Detection& detection, std::string_view file, std::string_view category) {
    if (files.empty() || !files.back().continues(detection.image_id, file))
      files.push_back({detections.size() - 1, detection.image_id, file});
    if (category.empty()) {
      unnamed_categories = true;
      return true;
    }
    const auto [place, is_new] = category_of_id_.emplace(detection.category_id, categories.size());
    if (is_new) categories.emplace_back(detection.category_id, category);
    return categories[place->second].second == category;
  }

  bool with_names_ = false;
  std::unordered_map<int64_t, size_t> category_of_id_;
};

/// False where two pieces name one category differently.
bool join_names(const std::vector<Piece>& pieces, ResultNames& names) {
  std::unordered_map<int64_t, std::string_view> name_of;
  std::vector<FileRun> files;
  size_t records = 0;
  for (const Piece& piece : pieces) {
    for (const FileRun& run : piece.files) {
      if (files.empty() || !files.back().continues(run.image_id, run.name))
        files.push_back({records + run.first, run.image_id, run.name});
    }
    records += piece.detections.size();
    names.unnamed_categories |= piece.unnamed_categories;
    for (const auto& [id, name] : piece.categories) {
      const auto [place, is_new] = name_of.emplace(id, name);
      if (place->second != name) return false;
      if (is_new) names.categories.push_back({id, std::string(name)});
    }
  }
  if (files.empty() || (files.size() == 1 && files[0].name.empty())) return true;
  for (const FileRun& run : files)
    names.files.push_back({run.first, run.image_id, std::string(run.name)});
  if (files[0].name.empty()) names.files[0].image_id = 0;
  return true;
}

}  // namespace

std::optional<std::vector<Detection>> scan_results(std::string_view text, ResultNames* names,
                                                   ThreadPool& pool) {
  text = without_byte_order_mark(text);
  const char *at = text.data(), *end = at + text.size();
  at = std::find_if_not(at, end, is_space);
  while (end != at && is_space(end[-1])) --end;
  if (end - at < 2 || *at != '[' || *--end != ']') return std::nullopt;
  at = std::find_if_not(at + 1, end, is_space);
  if (at == end) return std::nullopt;

  // Where a record begins is guessed. The guess is right if the piece before ends there.
  std::vector<const char*> begin{at};
  while (begin.back() != end) {
    const char* last = begin.back();
    begin.push_back(
        static_cast<size_t>(end - last) > kPieceBytes ? next_record(last + kPieceBytes, end) : end);
  }
  std::vector<Piece> pieces(begin.size() - 1);
  std::vector<char> good(pieces.size(), 0);
  parallel_ranges(pool, pieces.size(), 1, [&](size_t i, size_t) {
    good[i] = pieces[i].read(begin[i], begin[i + 1], end, names != nullptr) ? 1 : 0;
  });
  if (std::ranges::find(good, 0) != good.end()) return std::nullopt;
  ResultNames found;
  if (names != nullptr) {
    if (!join_names(pieces, found)) return std::nullopt;
    *names = std::move(found);
  }
  if (pieces.size() == 1) return std::move(pieces[0].detections);
  size_t records = 0;
  for (const Piece& piece : pieces) records += piece.detections.size();
  std::vector<Detection> all;
  all.reserve(records);
  for (Piece& piece : pieces) {
    all.insert(all.end(), piece.detections.begin(), piece.detections.end());
    piece.detections = {};
  }
  return all;
}

}  // namespace dfine::inline metrics
