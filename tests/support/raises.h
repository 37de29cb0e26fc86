#pragma once
// What a test says about an error: its code, and the values that its text names. Wording is the
// matter of core/error_test.cpp alone.
#include <gtest/gtest.h>

#include <cctype>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace dfine {

/// Whether `value` stands in `text` as a whole: 12 is not in 112, nor data.val in data.validate.
inline bool has_value(std::string_view text, std::string_view value) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t at = text.find(value); at != text.npos; at = text.find(value, at + 1)) {
    const size_t end = at + value.size();
    const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(value.front());
    const bool ends = end == text.size() || !is_word(text[end]) || !is_word(value.back());
    if (begins && ends) return true;
  }
  return false;
}

/// Whether `text` has all `values`: names, paths, keys, numbers.
inline testing::AssertionResult names(const std::string& text,
                                      const std::vector<std::string>& values) {
  for (const std::string& value : values)
    if (!has_value(text, value))
      return testing::AssertionFailure() << "\"" << value << "\" is not in: " << text;
  return testing::AssertionSuccess();
}
template <std::convertible_to<std::string_view>... Values>
testing::AssertionResult names(const std::string& text, const Values&... values) {
  return names(text, std::vector<std::string>{std::string(values)...});
}

struct Caught {
  std::optional<ErrorCode> code;  // none: nothing was thrown
  std::string text;               // as printed

  /// Whether it is of `expected` and names all `values`, given one by one or as a vector.
  template <class... Values>
  testing::AssertionResult is(ErrorCode expected, const Values&... values) const {
    if (!code) return testing::AssertionFailure() << "no error";
    if (*code != expected)
      return testing::AssertionFailure() << "not " << to_string(expected) << ": " << text;
    return names(text, values...);
  }
};

template <class Thrown = Error, class Body>
Caught catch_error(const Body& body) {
  try {
    body();
  } catch (const Thrown& e) {
    return {e.code(), e.what()};
  }
  return {};
}

/// Whether `body` throws an Error of `code` that names all `values`.
template <class Thrown = Error, class Body, class... Values>
testing::AssertionResult raises(ErrorCode code, const Body& body, const Values&... values) {
  return catch_error<Thrown>(body).is(code, values...);
}

}  // namespace dfine
