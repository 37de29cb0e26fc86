#pragma once
// Text put together from values; g++ 12 has no <format>, and LibTorch's fmt must not meet the
// system's (see core/log.h).
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace dfine {

/// The arguments written one after another, as operator<< writes them.
template <class... Args>
std::string str_cat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

/// `value` with `digits` decimals, as printf's %.*f.
std::string fixed(double value, int digits);

/// "1,234,567".
std::string with_commas(long long value);

/// "1 rank", "2,000 ranks".
std::string counted(long long count, std::string_view noun);
/// "1 box", "2,000 boxes".
std::string counted(long long count, std::string_view one, std::string_view many);

/// "a", "a and b", "a, b and c"; nothing for no names.
std::string listed(const std::vector<std::string>& names);

/// "512.0 MiB", "1.5 GiB", "17 B".
std::string human_bytes(double bytes);

/// "12 s", "4:05", "1:02:03".
std::string human_duration(double seconds);

}  // namespace dfine
