#pragma once
// JSON values of the form that programs write, read in one pass. What is unusual is refused, and a
// careful reader has to look at it: nothing is accepted that is not JSON.
#include <cstdint>
#include <string_view>

namespace dfine::inline metrics {

/// At a place in a text. A bracket or brace must stand right behind the text: so numbers and spaces
/// are read without asking for its end. All functions are false where the text is not what they
/// read; the place is then undefined.
class PlainJson {
 public:
  PlainJson(const char* at, const char* end) : at_(at), end_(end) {}

  const char* at() const { return at_; }

  void skip_spaces() {
    while (is_space(*at_)) ++at_;
  }
  bool take(char c) {
    if (*at_ != c) return false;
    ++at_;
    return true;
  }
  /// A comma or colon, with the spaces around it.
  bool separator(char c) {
    skip_spaces();
    if (!take(c)) return false;
    skip_spaces();
    return true;
  }

  /// Without an exponent or a fraction; 18 digits at most.
  bool integer(int64_t& value);
  bool number(double& value);
  /// What stands between the quotes. No escapes.
  bool plain_string(std::string_view& text);
  /// A value of any kind.
  bool skip_value(int depth = 0);

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool number_by_library(const char* begin, double& value);
  void take_digits(uint64_t& value);
  bool word(std::string_view text);
  bool skip_string();
  bool skip_escape();
  bool skip_members(char close, int depth);

  const char *at_, *end_;
};

}  // namespace dfine::inline metrics
