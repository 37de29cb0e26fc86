#pragma once
#include <string>
#include <vector>

namespace dfine {

/// The known dotted names that `name` was most probably meant to be, joined by " or ": the same key in another table, or few edits
/// away. Empty if none is near.
std::string suggest(const std::string& name, const std::vector<std::string>& known);

}  // namespace dfine
