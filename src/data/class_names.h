#pragma once
#include <string>
#include <string_view>

namespace dfine::inline data {

/// A class name without a letter is no name: empty, or nothing but white space.
inline bool is_blank(std::string_view name) {
  return name.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

/// What counts of a name: "Dining-Table" and "dining_table" are "diningtable".
std::string folded_class_name(std::string_view name);

/// One folded name for all that mean the same class: "tv" for "TV", "Monitor/TV" and "tvmonitor".
std::string class_meaning(std::string_view name);

}  // namespace dfine::inline data
