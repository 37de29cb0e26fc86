#pragma once
#include <filesystem>

namespace dfine::inline files {

/// Makes `to` a hard link to the file `from`, or a copy of it where that is not possible. Throws
/// Error naming both.
void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace dfine::inline files
