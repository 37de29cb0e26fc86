#pragma once
#include <cstdint>
#include <string>

namespace dfine::inline data {

/// A class of the dataset. Its label (0..C-1, what the model predicts) is its place in the list;
/// packs list classes by ascending id. The id is the one of the annotation file, which may be
/// sparse, and is what predictions are written with.
struct Category {
  int64_t id = 0;
  std::string name;
  bool operator==(const Category&) const = default;
};

/// `"cat" (id 3)`, for messages.
inline std::string describe(const Category& category) {
  return '"' + category.name + "\" (id " + std::to_string(category.id) + ")";
}

}  // namespace dfine::inline data
