#include "data/coco/json_lists.h"

#include <simdjson.h>

#include <algorithm>

#include "core/printable.h"
#include "core/text.h"
#include "data/coco/unexpected_file.h"

namespace dfine::inline coco {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool is_quote_or_bracket(char c) {
  return c == '"' || (c | 0x20) == '{' ||
         (c | 0x20) == '}';  // 0x20 apart: '[' and '{', ']' and '}'
}

class Walk {
 public:
  Walk(std::string_view text, std::span<const std::string_view> names, size_t piece_bytes,
       const std::function<void(const JsonPiece&)>& take)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        names_(names),
        piece_bytes_(piece_bytes),
        take_(take) {}

  void run() {
    at_ = without_byte_order_mark({begin_, static_cast<size_t>(end_ - begin_)}).data();
    skip_spaces();
    if (at_ == end_) broken("is broken JSON: it is empty");
    if (*at_ != '{') {
      if (*at_ == '[' || *at_ == '"' || *at_ == '-' || (*at_ >= '0' && *at_ <= '9'))
        other("is not a JSON object");
      broken(str_cat("is broken JSON: it begins with \"", printable(first_line()), "\""));
    }
    ++at_;
    std::vector<bool> seen(names_.size(), false);
    for (bool first = true; !ends('}', first); first = false) {
      const std::string key = read_key();
      const auto name = std::find(names_.begin(), names_.end(), key);
      if (name == names_.end()) {
        skip_value();
        continue;
      }
      const auto index = static_cast<size_t>(name - names_.begin());
      if (seen[index]) other(str_cat("has the key \"", key, "\" twice"));
      seen[index] = true;
      read_list(index);
    }
    skip_spaces();
    if (at_ != end_)
      throw JsonFault{static_cast<uint64_t>(at_ - begin_), "has text after its end", true, true};
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!seen[i]) throw JsonFault{0, str_cat("has no list \"", names_[i], "\"")};
    }
  }

 private:
  [[noreturn]] void broken(std::string what) const {
    throw JsonFault{static_cast<uint64_t>(at_ - begin_), std::move(what), true};
  }
  [[noreturn]] void other(std::string what) const {
    throw JsonFault{static_cast<uint64_t>(at_ - begin_), std::move(what)};
  }
  [[noreturn]] void cut_short() {
    at_ = end_;
    broken("is broken JSON: brackets or quotes are left open at its end");
  }

  /// What can be shown of the line at the current place.
  std::string_view first_line() const {
    constexpr size_t kShown = 30;
    const std::string_view text(at_, std::min(kShown, static_cast<size_t>(end_ - at_)));
    return text.substr(0, text.find_first_of("\r\n"));
  }

  void skip_spaces() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  void expect(char c) {
    skip_spaces();
    if (at_ == end_) cut_short();
    if (*at_ != c) broken(str_cat("is broken JSON: '", c, "' is missing"));
    ++at_;
  }

  /// At the bracket that ends a list or object: moves past it and is true. Else moves past the
  /// comma that must stand before all but the first member.
  bool ends(char bracket, bool first) {
    skip_spaces();
    if (at_ == end_) cut_short();
    if (*at_ == bracket) {
      ++at_;
      return true;
    }
    if (!first) expect(',');
    skip_spaces();
    return false;
  }

  /// From the opening quote to behind the closing one.
  void skip_string() {
    for (++at_; at_ != end_; ++at_) {
      if (*at_ == '"') {
        ++at_;
        return;
      }
      if (*at_ == '\\' && ++at_ == end_) break;
    }
    cut_short();
  }

  /// From the opening bracket to behind the closing one.
  void skip_brackets() {
    size_t depth = 0;
    for (;;) {
      at_ = std::find_if(at_, end_, is_quote_or_bracket);
      if (at_ == end_) cut_short();
      if (*at_ == '"') {
        skip_string();
        continue;
      }
      const bool opens = (*at_++ | 0x20) == '{';
      depth += opens ? 1 : static_cast<size_t>(-1);
      if (depth == 0) return;
    }
  }

  void skip_value() {
    const char* value = at_;
    if (at_ == end_) cut_short();
    if (*at_ == '"') {
      skip_string();
    } else if (*at_ == '{' || *at_ == '[') {
      skip_brackets();
    } else {
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && !is_space(*at_)) ++at_;
      if (at_ == value) broken("is broken JSON: a value is missing");
    }
    check_text(value);
  }

  void check_text(const char* value) {
    if (*value == '"' &&
        std::any_of(value, at_, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
      broken("is broken JSON: a string holds a control character");
    if (!simdjson::validate_utf8(value, static_cast<size_t>(at_ - value)))
      broken("is broken JSON: it is not UTF-8");
  }

  /// A key without its quotes, and the colon after it.
  std::string read_key() {
    if (at_ == end_) cut_short();
    if (*at_ != '"') broken("is broken JSON: a key in quotes is missing");
    const char* quoted = at_;
    skip_string();
    check_text(quoted);
    std::string key(quoted + 1, at_ - 1);
    if (key.find('\\') != std::string::npos) key = unescape(key);
    expect(':');
    skip_spaces();
    return key;
  }

  std::string unescape(const std::string& key) const {
    const simdjson::padded_string document("[\"" + key + "\"]");
    simdjson::dom::parser parser;
    std::string_view text;
    if (parser.parse(document).at(0).get_string().get(text) != simdjson::SUCCESS)
      broken("is broken JSON: a key has an invalid escape");
    return std::string(text);
  }

  void read_list(size_t list) {
    if (at_ == end_) cut_short();
    if (*at_ != '[') {
      const bool null = std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with("null");
      const JsonFault no_list{
          static_cast<uint64_t>(at_ - begin_),
          str_cat("has \"", names_[list], "\" that is ", null ? "null" : "not a list")};
      skip_value();  // broken text comes first
      throw no_list;
    }
    ++at_;
    const char* piece = nullptr;  // begin of the one being gathered
    const char* record_end = nullptr;
    size_t records = 0, first_record = 0;
    const auto hand_over = [&] {
      if (piece)
        take_({list,
               first_record,
               static_cast<uint64_t>(piece - begin_),
               {piece, static_cast<size_t>(record_end - piece)}});
      piece = nullptr;
    };
    while (!ends(']', records == 0)) {
      if (at_ == end_) cut_short();
      if (*at_ != '{') {
        if (*at_ == ',' || *at_ == ']' || *at_ == '}')
          broken("is broken JSON: a record is missing");
        other(str_cat("has ", names_[list], "[", records, "] that is not an object"));
      }
      if (!piece) {
        piece = at_;
        first_record = records;
      }
      skip_brackets();
      record_end = at_;
      ++records;
      if (static_cast<size_t>(record_end - piece) >= piece_bytes_) hand_over();
    }
    hand_over();
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::span<const std::string_view> names_;
  size_t piece_bytes_;
  const std::function<void(const JsonPiece&)>& take_;
};

}  // namespace

void cut_json_lists(std::string_view text, std::span<const std::string_view> names,
                    size_t piece_bytes, const std::function<void(const JsonPiece&)>& take) {
  Walk(text, names, piece_bytes, take).run();
}

}  // namespace dfine::inline coco
