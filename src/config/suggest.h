#pragma once
#include <string>
#include <vector>

namespace dfine::inline config {

/// The known dotted keys that `name` was most probably meant to be, joined by " or ": the same key
/// in another table, another trainer's name for it (synonyms.h), or few edits away. Empty if none
/// is near.
std::string suggest(const std::string& name, const std::vector<std::string>& known);

/// As suggest, for the name of a table: "[data]" for "dat" and "dataset".
std::string suggest_table(const std::string& name, const std::vector<std::string>& tables);

}  // namespace dfine::inline config
