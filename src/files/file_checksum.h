#pragma once
#include <cstdint>
#include <filesystem>

namespace dfine::inline files {

struct FileChecksum {
  uint64_t size = 0;    // bytes
  uint32_t crc32c = 0;  // of all of them
  bool operator==(const FileChecksum&) const = default;
};

/// Reads the whole file, a piece at a time. Throws Error where it cannot be read.
FileChecksum file_checksum(const std::filesystem::path& path);

}  // namespace dfine::inline files
