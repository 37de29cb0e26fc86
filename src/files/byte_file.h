#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace dfine::inline files {

/// A file open for reading at given places; any number of threads may read at once. Packs may have
/// more shards than a process may open files by default (often 1024). When half of that is used,
/// the process's own limit is raised as far as the system allows.
class ByteFile {
 public:
  explicit ByteFile(std::filesystem::path path);
  ~ByteFile();
  ByteFile(ByteFile&& other) noexcept;
  ByteFile(const ByteFile&) = delete;
  ByteFile& operator=(const ByteFile&) = delete;
  ByteFile& operator=(ByteFile&&) = delete;

  /// Bytes, as of now.
  uint64_t size() const;
  /// Makes `bytes` hold exactly the `size` bytes from `offset`; throws Error when the file ends
  /// before.
  void read(uint64_t offset, uint64_t size, std::vector<uint8_t>& bytes) const;
  /// Says that these bytes will be read soon: the system fetches them meanwhile, where it can
  /// (posix_fadvise).
  void prefetch(uint64_t offset, uint64_t size) const noexcept;
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class MappedFile;
  std::filesystem::path path_;
  int fd_;
};

}  // namespace dfine::inline files
