#pragma once
// A folder in memory for this process, removed at its end: for readers that take folders.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace dfine::fuzz {

class MemoryFolder {
 public:
  MemoryFolder() : path_("/dev/shm/dfine-fuzz-" + std::to_string(::getpid())) {}
  ~MemoryFolder() { std::filesystem::remove_all(path_); }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file, below new folders if need be.
  void put(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  const std::filesystem::path path_;
};

/// The beginning of a PNG of 64 x 48 pixels: as much as readers of annotations look at.
inline constexpr std::string_view kPngHeader{
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x30\x08\x02\0\0\0\x2e\x29\xeb\x48", 33};

}  // namespace dfine::fuzz
