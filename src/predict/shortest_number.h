#pragma once
#include <array>
#include <charconv>
#include <string>

namespace dfine::inline predict {

/// The fewest digits that read back as the same number, without an exponent.
inline std::string shortest(float value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

}  // namespace dfine::inline predict
