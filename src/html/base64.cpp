#include "html/base64.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace dfine::inline html {

std::string base64(std::span<const uint8_t> bytes) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t given = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < given ? bytes[i + k] : 0U);
    for (size_t k = 0; k < 4; ++k) out += k <= given ? kLetters[group >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string base64_of_hex(std::string_view digits) {
  std::vector<uint8_t> bytes(digits.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i)
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, bytes[i], 16);
  return base64(bytes);
}

}  // namespace dfine::inline html
