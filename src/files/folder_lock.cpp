#include "files/folder_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/host_name.h"
#include "core/text.h"
#include "core/utc_time.h"
#include "files/absolute_path.h"
#include "files/file_error.h"
#include "files/process_id.h"

namespace dfine::inline files {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

LockHolder this_holder(const FolderLockOptions& options) {
  LockHolder self;
  self.token = random_token() + random_token();
  self.host = host_name();
  self.process = to_text(this_process());
  self.pid = ::getpid();
  self.slurm_job = options.slurm_job;
  self.slurm_restarts = options.slurm_restarts;
  self.lock_seconds = options.lock_seconds;
  self.since = utc_now();
  return self;
}

/// Takes a folder for `self`.
class Taking {
 public:
  Taking(const fs::path& folder, const FolderLockOptions& options, const LockHolder& self)
      : folder_(folder), options_(options), self_(self) {}

  /// Whether another process released the folder meanwhile.
  bool waited_for_living() const { return waited_for_living_; }
  /// The number of the new lock.
  uint64_t run() {
    for (;;) {
      const std::vector<uint64_t> found = lock_numbers(folder_);
      waited_for_living_ =
          waited_for_living_ || std::ranges::any_of(watched_, [&](const auto& watched) {
            return !std::ranges::binary_search(found, watched.first);
          });
      bool free = true;
      // All of them, not only the highest: what a process left that ended before it could withdraw
      // (see take()) says nothing about the others. Each must be watched from now on.
      for (const uint64_t number : found) free = is_dead(number) && free;
      if (free) {
        if (const auto number = take(found)) return *number;
      }
      options_.check();
      std::this_thread::sleep_for(Seconds(options_.look_seconds));
    }
  }

 private:
  /// Whether lock `number` may be replaced now. Throws when its holder lives.
  bool is_dead(uint64_t number) {
    const auto seen = read_lock(lock_path(folder_, number));
    if (!seen) return false;  // released, or replaced: look again
    const LockHolder& holder = seen->holder;
    const auto process = parse_process_id(holder.process);
    if (process && is_gone(*process)) return true;
    const bool same_job = !self_.slurm_job.empty() && holder.slurm_job == self_.slurm_job;
    if (same_job && holder.slurm_restarts < self_.slurm_restarts) return true;

    constexpr double kLongest = 3600;  // whatever a damaged file says
    const Seconds wait(std::max(options_.lock_seconds, std::min(holder.lock_seconds, kLongest)));
    const auto [watch, is_new] = watched_.insert({number, Watched{*seen, Clock::now()}});
    const auto& [first, begin] = watch->second;
    if (is_new) {
      options_.announce(str_cat("waiting up to ", wait.count(), " s to see whether ",
                                described(holder), ", which holds ", folder_.string(),
                                ", is still alive"));
    } else if (*seen != first) {
      throw Error(kRunFolderBusy, str_cat(folder_.string(), " is in use by ", described(holder)),
                  "wait until that process has ended, stop it, or choose another run.dir");
    }
    return Clock::now() - begin >= wait;
  }

  /// Creates the next lock and removes those that were `found`. Nothing when another process was
  /// faster.
  std::optional<uint64_t> take(const std::vector<uint64_t>& found) {
    const uint64_t number = found.empty() ? 1 : found.back() + 1;
    if (!create_lock(folder_, number, self_)) return {};
    // This process may have been slow: others may have replaced the dead holder, ended, and begun
    // again at number 1. Then there are locks that it has not seen, and it withdraws.
    bool alone = false;
    try {
      const std::vector<uint64_t> now = lock_numbers(folder_);
      alone = std::ranges::all_of(now, [&](uint64_t other) {
        return other == number || std::ranges::binary_search(found, other);
      });
    } catch (...) {
      ::unlink(lock_path(folder_, number).c_str());
      throw;
    }
    if (!alone) {
      ::unlink(lock_path(folder_, number).c_str());
      return {};
    }
    // Ascending: while the next number is missing, a holder's own file is missing too, or it is
    // still the holder. So it need not list the folder (FolderLock::look).
    for (const uint64_t lower : found) ::unlink(lock_path(folder_, lower).c_str());
    return number;
  }

  const fs::path& folder_;
  const FolderLockOptions& options_;
  const LockHolder& self_;
  struct Watched {
    SeenLock first;
    Clock::time_point begin;
  };
  std::map<uint64_t, Watched> watched_;  // by number
  bool waited_for_living_ = false;
};

}  // namespace

FolderLock::FolderLock(const fs::path& folder, FolderLockOptions options)
    : folder_(absolute_path(folder)),
      options_(std::move(options)),
      self_(this_holder(options_)),
      last_held_(Clock::now()) {
  Taking taking(folder_, options_, self_);
  number_ = taking.run();
  waited_for_living_ = taking.waited_for_living();
  path_ = lock_path(folder_, number_);
  next_path_ = lock_path(folder_, number_ + 1);
  last_held_ = Clock::now();
  try {
    thread_ = std::thread([this] { beat(); });
  } catch (...) {
    release();
    throw;
  }
}

FolderLock::~FolderLock() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  release();
}

void FolderLock::release() noexcept {
  if (look() == State::kHeld) ::unlink(path_.c_str());
}

FolderLock::State FolderLock::look() const {
  // The own file is opened each time: only that makes NFS ask the server.
  try {
    struct stat status{};
    if (::stat(next_path_.c_str(), &status) == 0) return State::kLost;
    const auto seen = read_lock(path_);
    if (!seen || seen->holder.token != self_.token) return State::kLost;
  } catch (const std::exception&) {
    return State::kUnknown;
  }
  last_held_ = Clock::now();
  return State::kHeld;
}

void FolderLock::require_held() const {
  const State state = look();
  if (state == State::kHeld) return;
  if (state == State::kUnknown) {
    if (Clock::now() - last_held_.load() < Seconds(options_.lock_seconds)) return;
    read_lock(path_);  // throws its Error, unless the file system works again
  }
  const std::vector<uint64_t> numbers = lock_numbers(folder_);
  const auto holder =
      numbers.empty() ? std::nullopt : read_lock(lock_path(folder_, numbers.back()));
  if (holder && holder->holder.token == self_.token) return;  // the other one withdrew
  if (!holder) {
    throw Error(kRunFolderBusy,
                str_cat(folder_.string(), " is no longer locked by this process: ", path_.string(),
                        " was removed"),
                "another process may write there by now: leave lock files alone, and start again");
  }
  throw Error(
      kRunFolderBusy, str_cat(folder_.string(), " was taken over by ", described(holder->holder)),
      str_cat("this process did not change its lock file for ", options_.lock_seconds,
              " s, or its Slurm job was started again. It ends, so that the two do not write over "
              "each other's files"));
}

void FolderLock::beat() noexcept {
  const Seconds every(options_.beat_seconds > 0 ? options_.beat_seconds
                                                : std::min(options_.lock_seconds / 10, 5.0));
  LockHolder self = self_;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, every, [this] { return stopping_; })) {
    lock.unlock();
    if (look() == State::kLost) {
      lost_ = true;
      return;
    }
    ++self.beat;
    try {
      write_beat(path_, self);
    } catch (const std::exception&) {  // out of memory: there is a next time
    }
    lock.lock();
  }
}

}  // namespace dfine::inline files
