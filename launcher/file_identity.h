#pragma once
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace dfine {

using FileIdentity = std::pair<dev_t, ino_t>;

/// The file or folder itself, by whatever path or link it is reached; nothing where there is none.
inline std::optional<FileIdentity> file_identity(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity(found.st_dev, found.st_ino);
}

}  // namespace dfine
