#pragma once
#include <deque>
#include <filesystem>
#include <future>

#include "core/thread_pool.h"

namespace dfine::inline files {

/// Forces the content of a file, or the names in a folder, to disk. Throws Error when that fails
/// (disk full, say).
void sync_to_disk(const std::filesystem::path& path);

/// Forces finished files to disk in a thread of its own while others are being written.
class BackgroundSync {
 public:
  BackgroundSync() : thread_(1) {}
  /// Waits while two files are under way already, so that unwritten data do not pile up. Throws the
  /// Error of an earlier file.
  void add(const std::filesystem::path& path);
  /// Waits for all. Throws the first Error.
  void finish();

 private:
  ThreadPool thread_;
  std::deque<std::future<void>> pending_;
};

}  // namespace dfine::inline files
