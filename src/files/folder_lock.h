#pragma once
// The lock of a folder: one process at a time may write there. It works between hosts without
// flock() and fcntl(), which network file systems may keep local or refuse.
//
// - The locks are files FOLDER/.lock-000001, .lock-000002, ... The one with the highest number
//   holds the folder. Its content says who that is.
// - To take the folder, a process creates the next number. Only one process can create a file, so
//   only one of several wins. It then removes the lower ones. Release removes the own file.
// - The holder changes its file at least every five seconds: the beat. A process that finds a lock
//   watches that file. If it changes, its holder lives, and the watcher ends with an Error. If it
//   does not for `lock_seconds` of the watcher's own clock, the watcher takes the folder. No clocks
//   are compared.
// - The watcher does not wait where the holder's process is certainly gone (files/process_id.h),
//   and not for an earlier start of the same Slurm job.
// - A holder that was frozen, or cut off from the file system, may find that it was replaced. So it
//   asks require_held() before it writes.
//
// The limit: it relies on a file system that shows new, changed and removed files to all hosts
// within `lock_seconds`. A holder frozen for that long between require_held() and a write does not
// notice before it has written.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "files/lock_file.h"

namespace dfine::inline files {

struct FolderLockOptions {
  /// After this time without a beat a holder counts as dead. A watcher uses the holder's value if
  /// that is longer.
  double lock_seconds = 60;
  std::string slurm_job;        // SLURM_JOB_ID; empty: none
  unsigned slurm_restarts = 0;  // SLURM_RESTART_COUNT
  /// Between two looks at another's lock.
  double look_seconds = 1;
  /// Between two beats. 0: a tenth of lock_seconds, at most 5 seconds.
  double beat_seconds = 0;
  /// Called with a sentence for the log when the waiting for another's lock begins.
  std::function<void(const std::string& message)> announce = [](const std::string&) {};
  /// Called after each look while waiting. What it throws ends the waiting.
  std::function<void()> check = [] {};
};

class FolderLock {
 public:
  /// Takes `folder`, which is made if it is missing. Waits up to lock_seconds for another's lock.
  /// Throws Error: run_folder_busy when another process holds it, disk_full, write_failed, ...
  explicit FolderLock(const std::filesystem::path& folder, FolderLockOptions options = {});
  /// Releases the folder if it is still held.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Throws Error (run_folder_busy) when another process has taken the folder, or when the lock
  /// file was removed. Costs five system calls. A file system that fails is an Error only once it
  /// has failed for lock_seconds. Any thread may call it.
  void require_held() const;
  /// Whether it waited for a process that lived and then released the folder.
  bool waited_for_living() const { return waited_for_living_; }
  /// Whether the thread that beats has noticed the same.
  bool lost() const { return lost_; }
  /// The lock file.
  const std::filesystem::path& path() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class State { kHeld, kLost, kUnknown };  // kUnknown: it cannot be read just now

  State look() const;
  void release() noexcept;
  void beat() noexcept;

  const std::filesystem::path folder_;
  const FolderLockOptions options_;
  LockHolder self_;
  uint64_t number_ = 0;
  bool waited_for_living_ = false;
  std::filesystem::path path_, next_path_;  // next: of the process that replaces this one
  mutable std::atomic<Clock::time_point> last_held_;
  std::atomic<bool> lost_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace dfine::inline files
