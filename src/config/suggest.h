#pragma once
#include <string>
#include <vector>

namespace dfine::inline config {

/// The known dotted keys that `name` was most probably meant to be, joined by " or "; empty if none
/// is near. `name` may have the wrong table, be another trainer's name (synonyms.h), or be a few
/// edits away.
std::string suggest(const std::string& name, const std::vector<std::string>& known);

/// As suggest, for the name of a table: "[data]" for "dat" and "dataset".
std::string suggest_table(const std::string& name, const std::vector<std::string>& tables);

}  // namespace dfine::inline config
