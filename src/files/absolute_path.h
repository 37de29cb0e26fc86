#pragma once
#include <filesystem>

namespace dfine::inline files {

/// Without "." and "..", and without following links: a link's own name is what the user knows.
inline std::filesystem::path absolute_path(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

}  // namespace dfine::inline files
