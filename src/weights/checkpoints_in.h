#pragma once
#include <filesystem>
#include <initializer_list>
#include <string>

namespace dfine::inline weights {

/// For hints: the checkpoints in `folder`, that of a run or its folder `checkpoints`, which hold
/// the file `file`: "RUN/checkpoints/last or RUN/checkpoints/best". `names`: those looked for, in
/// the order of the text. Empty: there is none.
std::string checkpoints_in(const std::filesystem::path& folder, const std::string& file,
                           std::initializer_list<const char*> names);

}  // namespace dfine::inline weights
