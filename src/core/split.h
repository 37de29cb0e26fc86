#pragma once
#include <sstream>
#include <string>
#include <vector>

namespace dfine {

/// The parts of `text` between separators: "a,,b" has three, the second one empty. Empty text has
/// none, and a separator at the end begins no part.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace dfine
