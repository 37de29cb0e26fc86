#pragma once
#include <string_view>

namespace dfine {

/// A class name without a letter is no name: empty, or nothing but white space.
inline bool is_blank(std::string_view name) {
  return name.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

}  // namespace dfine
