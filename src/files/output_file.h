#pragma once
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace dfine::inline files {

/// A file opened for writing whose every failure is an Error with path and reason; std::ofstream
/// keeps no reason. Unbuffered: write large pieces, or whole lines.
class OutputFile {
 public:
  enum class Mode { kTruncate, kAppend };

  /// Creates the file where it is missing. `name` is the path in errors; empty: `path` itself.
  explicit OutputFile(const std::filesystem::path& path, Mode mode = Mode::kTruncate,
                      const std::filesystem::path& name = {});
  /// Closes without looking at errors; close() first where the content matters.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// All of `bytes`, or an Error; a part may then have been written.
  void write(std::string_view bytes);
  /// The same, but a part that was written is cut off again, which needs no room.
  void append_whole(std::string_view bytes);
  void write(const void* bytes, size_t count);
  /// Some file systems report a full disk only here (NFS, quotas).
  void close();

 private:
  std::filesystem::path name_;
  int descriptor_;
};

}  // namespace dfine::inline files
