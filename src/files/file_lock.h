#pragma once
// A lock among the processes of a host, and of several hosts where the file system passes flock()
// on. The system releases it when its process ends. FolderLock (files/folder_lock.h) is for folders
// on file systems that keep flock() to each host.
#include <filesystem>
#include <string>

namespace dfine::inline files {

/// Held from construction to destruction by one process at a time. The file stays: others may wait
/// for it.
class FileLock {
 public:
  /// Where the file system has no locks.
  enum class Unsupported { kError, kGoOn };

  /// Creates the file where it is missing, and waits while another process holds it. `waiting` is
  /// logged when the waiting begins. Throws Error with `hint` when that is not possible, and
  /// Stopped when a stop signal comes meanwhile.
  FileLock(const std::filesystem::path& path, const std::string& waiting, const std::string& hint,
           Unsupported unsupported = Unsupported::kError);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace dfine::inline files
