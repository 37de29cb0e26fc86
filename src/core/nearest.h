#pragma once
// What a mistyped name was most probably meant to be.
#include <cstddef>
#include <string>
#include <vector>

namespace dfine {

/// Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, no
/// part edited twice (optimal string alignment, the restricted Damerau-Levenshtein distance).
size_t edits_between(const std::string& a, const std::string& b);

/// Lower case, with '_' for '-': how names are compared.
std::string plain_name(std::string name);

/// Edits after which a word of `letters` letters still counts as the same: a third, at least 1.
constexpr size_t tolerated_edits(size_t letters) {
  return letters < 6 ? 1 : letters / 3;
}

/// Those of `known` that are fewest edits away from `name` (both as plain_name), in their order;
/// none when that takes more than `most_edits`.
std::vector<std::string> nearest_names(const std::string& name,
                                       const std::vector<std::string>& known, size_t most_edits);

/// "a or b or c".
std::string joined_by_or(const std::vector<std::string>& names);

}  // namespace dfine
