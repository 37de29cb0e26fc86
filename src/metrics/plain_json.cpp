#include "metrics/plain_json.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "metrics/decimal.h"

namespace dfine::inline metrics {
namespace {

constexpr std::ptrdiff_t kMostDigits = 19;  // that any 64-bit integer holds
constexpr std::array<uint64_t, 9> kPowersOf10{1,      10,      100,      1000,     10000,
                                              100000, 1000000, 10000000, 100000000};

/// How many of the eight bytes at `at` are digits before any other byte; their number is appended
/// to `value`. Without branches that depend on the digits: processors cannot foresee those.
size_t append_digits(const char* at, uint64_t& value) {
  uint64_t x = 0;
  std::memcpy(&x, at, sizeof(x));
  constexpr uint64_t kOnes = 0x0101010101010101;
  x ^= '0' * kOnes;  // each digit its value, the first in the lowest byte
  const uint64_t others = ((x + (0x80 - 10) * kOnes) | x) & (0x80 * kOnes);
  const size_t count = others == 0 ? 8 : static_cast<size_t>(std::countr_zero(others)) / 8;
  if (count == 0) return 0;
  x <<= 8 * (8 - count);                           // zeros in front of what is kept
  x = (x * 10 + (x >> 8)) & 0x00FF00FF00FF00FF;    // four numbers of two digits
  x = (x * 100 + (x >> 16)) & 0x0000FFFF0000FFFF;  // two of four
  x = (x * 10000 + (x >> 32)) & 0x00000000FFFFFFFF;
  value = value * kPowersOf10[count] + x;
  return count;
}

}  // namespace

/// Appends the digits that stand here.
inline void PlainJson::take_digits(uint64_t& value) {
  if constexpr (std::endian::native == std::endian::little) {
    while (end_ - at_ >= 8) {
      const size_t count = append_digits(at_, value);
      at_ += count;
      if (count < 8) return;
    }
  }
  for (; is_digit(*at_); ++at_) value = value * 10 + static_cast<uint64_t>(*at_ - '0');
}

bool PlainJson::integer(int64_t& value) {
  const bool negative = take('-');
  const char* begin = at_;
  uint64_t number = 0;
  take_digits(number);
  const auto length = at_ - begin;
  if (length == 0 || length >= kMostDigits || (length > 1 && *begin == '0')) return false;
  value = negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
  return *at_ != '.' && (*at_ | 0x20) != 'e';
}

bool PlainJson::number(double& value) {
  const char* begin = at_;
  const bool negative = take('-');
  const char* whole = at_;
  uint64_t number = 0;
  take_digits(number);
  auto length = at_ - whole;
  if (length == 0 || (length > 1 && *whole == '0')) return false;
  std::ptrdiff_t places = 0;
  if (take('.')) {
    const char* fraction = at_;
    take_digits(number);
    places = at_ - fraction;
    if (places == 0) return false;
    length += places;
  }
  if (length > kMostDigits || (*at_ | 0x20) == 'e') return number_by_library(begin, value);
  value = decimal(number, static_cast<unsigned>(places));
  if (negative) value = -value;
  return true;
}

/// JSON's rules for what stands before an exponent have been checked.
bool PlainJson::number_by_library(const char* begin, double& value) {
  const auto [rest, error] = std::from_chars(begin, end_, value);
  at_ = rest;
  return error == std::errc() && std::isfinite(value) && (*at_ | 0x20) != 'e';
}

bool PlainJson::plain_string(std::string_view& text) {
  if (!take('"')) return false;
  const char* begin = at_;
  for (; at_ != end_; ++at_) {
    const char c = *at_;
    if (c == '"') {
      text = {begin, static_cast<size_t>(at_++ - begin)};
      return true;
    }
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
  }
  return false;
}

bool PlainJson::skip_escape() {
  ++at_;
  constexpr std::string_view kSimple = "\"\\/bfnrt";
  if (at_ == end_) return false;
  if (kSimple.find(*at_) != std::string_view::npos) return true;
  if (*at_ != 'u' || end_ - at_ <= 4) return false;
  for (int i = 0; i < 4; ++i) {
    const char c = *++at_;
    if (!is_digit(c) && ((c | 0x20) < 'a' || (c | 0x20) > 'f')) return false;
  }
  return true;
}

bool PlainJson::skip_string() {
  if (!take('"')) return false;
  for (; at_ != end_; ++at_) {
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(*at_) < 0x20 || (*at_ == '\\' && !skip_escape())) return false;
  }
  return false;
}

bool PlainJson::word(std::string_view text) {
  if (std::string_view(at_, static_cast<size_t>(end_ - at_)).substr(0, text.size()) != text)
    return false;
  at_ += text.size();
  return true;
}

bool PlainJson::skip_members(char close, int depth) {
  ++at_;
  skip_spaces();
  if (take(close)) return true;
  do {
    if (close == '}' && !(skip_string() && separator(':'))) return false;
    if (!skip_value(depth)) return false;
  } while (separator(','));
  return take(close);
}

bool PlainJson::skip_value(int depth) {
  constexpr int kDeepest = 32;
  if (depth > kDeepest) return false;
  switch (*at_) {
    case '"':
      return skip_string();
    case '[':
      return skip_members(']', depth + 1);
    case '{':
      return skip_members('}', depth + 1);
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default: {
      double ignored = 0;
      return number(ignored);
    }
  }
}

}  // namespace dfine::inline metrics
