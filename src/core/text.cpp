#include "core/text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace dfine {

std::string fixed(double value, int digits) {
  std::array<char, 64> buffer{};
  const int n = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  if (n < static_cast<int>(buffer.size())) return {buffer.data(), static_cast<size_t>(n)};
  return str_cat(value);
}

std::string with_commas(long long value) {
  std::string digits = std::to_string(value);
  const size_t start = value < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > start + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string counted(long long count, std::string_view noun) {
  return counted(count, noun, str_cat(noun, "s"));
}

std::string counted(long long count, std::string_view one, std::string_view many) {
  return str_cat(with_commas(count), " ", count == 1 ? one : many);
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string human_bytes(double bytes) {
  const std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return str_cat(fixed(bytes, unit == 0 ? 0 : 1), " ", units[unit]);
}

std::string human_duration(double seconds) {
  const long long whole = std::llround(seconds);
  if (whole < 60) return str_cat(whole, " s");
  const auto two = [](long long value) { return str_cat(value < 10 ? "0" : "", value); };
  const std::string rest = two(whole % 60);
  if (whole < 3600) return str_cat(whole / 60, ":", rest);
  return str_cat(whole / 3600, ":", two(whole / 60 % 60), ":", rest);
}

}  // namespace dfine
