#pragma once
// The files of a folder's lock: their names and what is in them. folder_lock.h says how they are
// used.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline files {

/// Who holds a folder; a line `key=value` per field in the file.
struct LockHolder {
  std::string token;  // 32 hexadecimal digits; empty: the file is not one of ours, or not complete
  std::string host;
  std::string process;  // as to_text(ProcessId)
  long pid = 0;
  std::string slurm_job;  // empty: none
  unsigned slurm_restarts = 0;
  double lock_seconds = 0;
  std::string since;  // UTC, such as 2026-03-31T12:00:00Z
  uint64_t beat = 0;

  bool operator==(const LockHolder&) const = default;
};

std::string lock_text(const LockHolder& holder);
/// What cannot be read stays as it is in LockHolder().
LockHolder parse_lock(std::string_view text);
/// "process 5 on host n1 (Slurm job 77) since 2026-03-31T12:00:00Z".
std::string described(const LockHolder& holder);

/// `folder`/.lock-000007
std::filesystem::path lock_path(const std::filesystem::path& folder, uint64_t number);
/// Of the lock files in `folder`, ascending. Throws Error when the folder cannot be read; one that
/// is missing has none.
std::vector<uint64_t> lock_numbers(const std::filesystem::path& folder);

/// A lock file at one moment. As long as its holder lives, it changes.
struct SeenLock {
  LockHolder holder;
  int64_t changed = 0;  // modification time, nanoseconds

  bool operator==(const SeenLock&) const = default;
};
/// Nothing where there is no such file. Throws Error when it cannot be read.
std::optional<SeenLock> read_lock(const std::filesystem::path& path);

/// Makes lock number `number` of `holder`, in one step where the file system has hard links. False
/// where there is one already, or where the folder changed meanwhile. Throws Error (disk full,
/// ...).
bool create_lock(const std::filesystem::path& folder, uint64_t number, const LockHolder& holder);

/// Overwrites the beat in the file of `holder`, which needs no space on the disk. Where the file
/// system refuses that, it sets the file's time. False where that fails too.
bool write_beat(const std::filesystem::path& path, const LockHolder& holder);

}  // namespace dfine::inline files
