#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace dfine::inline files {

/// The same for all names of a file or folder: links of both kinds, "a/../b" and "b".
using FileId = std::pair<dev_t, ino_t>;

/// Nothing where there is no such file; errno then says why.
inline std::optional<FileId> find_file_id(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId(status.st_dev, status.st_ino);
}

/// Throws filesystem_error where there is no such file.
inline FileId file_id(const std::filesystem::path& path) {
  if (const auto id = find_file_id(path)) return *id;
  throw std::filesystem::filesystem_error("stat", path,
                                          std::error_code(errno, std::generic_category()));
}

}  // namespace dfine::inline files
