#include "files/folder_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/host_name.h"
#include "files/atomic_path.h"
#include "files/process_id.h"
#include "support/child_process.h"
#include "support/files.h"
#include "support/raises.h"
#include "support/refused_calls.h"

namespace dfine {
using enum ErrorCode;
namespace {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Names = std::set<std::string>;

/// Called before a hard link is made, between the look at a lock and the creation of the next one.
/// The errno that it returns refuses the link; 0 does not.
std::function<int()> on_link;

/// Calls `done` until it is true. False after a minute.
template <class Done>
bool awaited(const Done& done) {
  for (const auto end = Clock::now() + std::chrono::minutes(1); Clock::now() < end;) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Looks and beats many times per second. A holder that is wrongly taken for dead makes a test fail
/// only if it gets no processor for `lock_seconds`.
FolderLockOptions fast(double lock_seconds = 60) {
  FolderLockOptions options;
  options.lock_seconds = lock_seconds;
  options.look_seconds = 0.005;
  options.beat_seconds = 0.02;
  return options;
}

class FolderLockTest : public testing::Test {
 protected:
  ~FolderLockTest() override { on_link = nullptr; }
  Names names() const {
    Names found;
    for (const auto& entry : fs::directory_iterator(root_)) found.insert(entry.path().filename());
    return found;
  }
  /// Puts a lock of a process on another host there, which does not beat.
  LockHolder put(uint64_t number, const std::function<void(LockHolder&)>& change = {}) const {
    LockHolder holder;
    holder.token = random_token() + random_token();
    holder.host = "node17";
    ProcessId process = this_process();
    process.boot = std::string(32, '0');
    holder.process = to_text(process);
    holder.pid = 4711;
    holder.slurm_job = "8812";
    holder.lock_seconds = 0.5;
    holder.since = "2026-03-31T12:00:00Z";
    if (change) change(holder);
    write_file(lock_path(root_, number), lock_text(holder));
    return holder;
  }
  /// As put(), but of a process of this host that is gone.
  void put_gone(uint64_t number) const {
    put(number, [](LockHolder& holder) {
      ProcessId process = this_process();
      ++process.start;
      holder.process = to_text(process);
      holder.lock_seconds = 60;
    });
  }
  /// A child that takes the folder, tells so by a file and then runs `body`.
  ChildProcess child_with_lock(const FolderLockOptions& options,
                               const std::function<int(FolderLock&)>& body) const {
    return ChildProcess([&, this] {
      FolderLock lock(root_, options);
      write_file(root_ / "held", "");
      return body(lock);
    });
  }
  bool held() const {
    return awaited([&] { return fs::exists(root_ / "held"); });
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_ / "run";
};

int wait_for_ever(FolderLock&) {
  for (;;) ::pause();
}

TEST_F(FolderLockTest, TellsWhetherALivingProcessWasThere) {
  EXPECT_FALSE(FolderLock(root_, fast()).waited_for_living());
  put_gone(1);
  EXPECT_FALSE(FolderLock(root_, fast()).waited_for_living());
  put(1);  // it falls silent
  EXPECT_FALSE(FolderLock(root_, fast(0.5)).waited_for_living());
  put(1);
  FolderLockOptions options = fast();
  options.check = [&] { fs::remove(lock_path(root_, 1)); };  // it releases the folder
  EXPECT_TRUE(FolderLock(root_, options).waited_for_living());
}

TEST_F(FolderLockTest, IsAFileWhileItLives) {
  {
    const FolderLock lock(root_, fast());
    EXPECT_EQ(names(), Names{".lock-000001"});
    EXPECT_EQ(lock.path(), root_ / ".lock-000001");
    const LockHolder holder = read_lock(lock.path())->holder;
    EXPECT_EQ(holder.token.size(), 32u);
    EXPECT_EQ(holder.host, host_name());
    EXPECT_EQ(holder.process, to_text(this_process()));
    EXPECT_EQ(holder.pid, ::getpid());
    EXPECT_EQ(holder.since.size(), 20u);
    lock.require_held();
    EXPECT_FALSE(lock.lost());
  }
  EXPECT_EQ(names(), Names{});
}

TEST_F(FolderLockTest, TextIsReadBack) {
  fs::create_directory(root_);
  LockHolder holder = put(1);
  EXPECT_EQ(parse_lock(lock_text(holder)), holder);
  EXPECT_EQ(parse_lock("").token, "");
  EXPECT_EQ(parse_lock("pid=x\nnoise\n=\npid=7").pid, 7);
  const size_t size = lock_text(holder).size();
  holder.beat = 9'999'999'999;
  EXPECT_EQ(lock_text(holder).size(), size);
  holder.host = "a\ntoken=b";
  EXPECT_EQ(parse_lock(lock_text(holder)).token, holder.token);
  EXPECT_TRUE(dfine::names(described(put(1)), "4711", "node17", "8812", "2026-03-31T12:00:00Z"));
}

TEST_F(FolderLockTest, OnlyWholeNamesAreLocks) {
  fs::create_directory(root_);
  for (const char* name : {".lock-000002", ".lock-1000000", ".lock-1", ".lock-0000003", ".lock-",
                           ".lock-000000", ".lock-000004x", ".lock.partial-x-000005", ".lock"})
    write_file(root_ / name, "");
  EXPECT_EQ(lock_numbers(root_), (std::vector<uint64_t>{2, 1000000}));
  EXPECT_EQ(lock_numbers(root_ / "missing"), std::vector<uint64_t>{});
}

TEST_F(FolderLockTest, ALiveHolderIsNamedWithinAFewBeats) {
  FolderLockOptions options = fast();
  options.slurm_job = "8812";
  ChildProcess child = child_with_lock(options, wait_for_ever);
  ASSERT_TRUE(held());
  const std::string since = read_lock(lock_path(root_, 1))->holder.since;
  std::vector<std::string> announced;
  int looks = 0;
  options = fast();
  options.slurm_job = "9000";
  options.announce = [&](const std::string& text) { announced.push_back(text); };
  options.check = [&] { ++looks; };
  const auto begin = Clock::now();
  const std::string pid = std::to_string(child.pid());
  EXPECT_TRUE(raises(
      kRunFolderBusy, [&] { FolderLock lock(root_, options); }, root_.string(), host_name(), pid,
      "8812", since, "run.dir"));
  EXPECT_LT(seconds_since(begin), 30);
  ASSERT_EQ(announced.size(), 1u);
  EXPECT_TRUE(dfine::names(announced[0], "60", pid, root_.string()));
  EXPECT_GT(looks, 0);
  EXPECT_EQ(names(), (Names{".lock-000001", "held"}));
}

TEST_F(FolderLockTest, AKilledHolderIsReplacedAtOnce) {
  ChildProcess child = child_with_lock(fast(), wait_for_ever);
  ASSERT_TRUE(held());
  child.kill(SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);
  FolderLockOptions options = fast();
  options.check = [] { FAIL() << "there is nothing to wait for"; };
  {
    const FolderLock lock(root_, options);
    EXPECT_EQ(names(), (Names{".lock-000002", "held"}));
    lock.require_held();
  }
  EXPECT_EQ(names(), Names{"held"});
}

TEST_F(FolderLockTest, AHolderThatDiesWhileWatchedIsReplacedAtOnce) {
  FolderLockOptions slow = fast();
  slow.beat_seconds = 60;
  ChildProcess child = child_with_lock(slow, wait_for_ever);
  ASSERT_TRUE(held());
  FolderLockOptions options = fast();
  options.check = [&] { child.kill(SIGKILL); };
  const FolderLock lock(root_, options);
  EXPECT_EQ(lock.path().filename(), ".lock-000002");
}

TEST_F(FolderLockTest, AReleasedLockIsTakenWithoutError) {
  FolderLockOptions slow = fast();
  slow.beat_seconds = 60;
  auto holder = std::make_unique<FolderLock>(root_, slow);
  FolderLockOptions options = fast();
  options.check = [&] { holder.reset(); };
  const FolderLock lock(root_, options);
  EXPECT_EQ(names(), Names{".lock-000001"});
}

TEST_F(FolderLockTest, AHolderOfAnotherHostIsWatchedForItsTime) {
  fs::create_directory(root_);
  put(7);
  std::string announced;
  FolderLockOptions options = fast(0.2);  // the holder's half second counts
  options.announce = [&](const std::string& text) { announced += text; };
  const auto begin = Clock::now();
  const FolderLock lock(root_, options);
  EXPECT_GE(seconds_since(begin), 0.5);
  EXPECT_EQ(names(), Names{".lock-000008"});
  EXPECT_TRUE(dfine::names(announced, "0.5", "4711", "node17", "8812", "2026-03-31T12:00:00Z"));
}

TEST_F(FolderLockTest, AFileWithoutContentIsWatchedToo) {
  fs::create_directory(root_);
  write_file(lock_path(root_, 1), "");
  const auto begin = Clock::now();
  const FolderLock lock(root_, fast(0.3));
  EXPECT_GE(seconds_since(begin), 0.3);
  EXPECT_EQ(names(), Names{".lock-000002"});
}

TEST_F(FolderLockTest, ANewTimeOfTheFileIsASignOfLife) {
  fs::create_directory(root_);
  put(1);
  FolderLockOptions options = fast();
  options.check = [&] {
    fs::last_write_time(lock_path(root_, 1), fs::file_time_type::clock::now());
  };
  EXPECT_TRUE(raises(kRunFolderBusy, [&] { FolderLock lock(root_, options); }, "node17", "4711"));
}

TEST_F(FolderLockTest, AnEarlierStartOfTheSameJobIsReplacedAtOnce) {
  fs::create_directory(root_);
  put(1, [](LockHolder& holder) {
    holder.slurm_restarts = 1;
    holder.lock_seconds = 60;
  });
  FolderLockOptions options = fast();
  options.slurm_job = "8812";
  struct Waited {};
  options.check = [] { throw Waited(); };
  for (const unsigned restarts : {0u, 1u}) {
    options.slurm_restarts = restarts;
    EXPECT_THROW(FolderLock(root_, options), Waited) << restarts;
  }
  options.slurm_restarts = 2;
  options.slurm_job = "8813";
  EXPECT_THROW(FolderLock(root_, options), Waited);
  EXPECT_EQ(names(), Names{".lock-000001"});
  options.slurm_job = "8812";
  const FolderLock lock(root_, options);
  EXPECT_EQ(names(), Names{".lock-000002"});
}

TEST_F(FolderLockTest, NoJobIsNotTheSameJob) {
  fs::create_directory(root_);
  put(1, [](LockHolder& holder) { holder.slurm_job = ""; });
  FolderLockOptions options = fast();
  options.slurm_restarts = 1;
  struct Waited {};
  options.check = [] { throw Waited(); };
  EXPECT_THROW(FolderLock(root_, options), Waited);
}

TEST_F(FolderLockTest, AFrozenHolderIsReplacedAndNotices) {
  ChildProcess child = child_with_lock(fast(1), [&](FolderLock& lock) {
    Caught error;
    const bool noticed = awaited([&] {
      error = catch_error([&] { lock.require_held(); });
      return error.code.has_value();
    });
    if (!noticed || !error.is(kRunFolderBusy, root_.string(), std::to_string(::getppid())))
      return 1;
    return awaited([&] { return lock.lost(); }) ? 0 : 2;
  });
  ASSERT_TRUE(held());
  child.kill(SIGSTOP);
  const auto begin = Clock::now();
  {
    const FolderLock lock(root_, fast(1));
    EXPECT_GE(seconds_since(begin), 1);
    child.kill(SIGCONT);
    EXPECT_EQ(child.wait(), 0);
    lock.require_held();  // the other one has released nothing that is not its own
    EXPECT_EQ(names(), (Names{".lock-000002", "held"}));
  }
  EXPECT_EQ(names(), Names{"held"});
}

TEST_F(FolderLockTest, ARemovedOrForeignFileIsNoticed) {
  for (const bool foreign : {false, true}) {
    {
      const FolderLock lock(root_, fast());
      fs::remove(lock.path());
      if (foreign) put(1);
      EXPECT_TRUE(raises(
          kRunFolderBusy, [&] { lock.require_held(); }, root_.string(),
          foreign ? "node17" : ".lock-000001"));
      EXPECT_TRUE(awaited([&] { return lock.lost(); }));
    }
    EXPECT_EQ(fs::exists(lock_path(root_, 1)), foreign) << "a foreign lock is not released";
  }
}

TEST_F(FolderLockTest, ALockOfTheNextNumberIsNoticedAlthoughTheOwnIsThere) {
  const FolderLock lock(root_, fast());
  put(2);
  EXPECT_TRUE(raises(kRunFolderBusy, [&] { lock.require_held(); }, "node17", "4711"));
  EXPECT_TRUE(awaited([&] { return lock.lost(); }));
}

// Left by a process that ended between creating a lock and seeing that it must withdraw.
TEST_F(FolderLockTest, ALowerLockThatIsAliveCountsToo) {
  const FolderLock lock(root_, fast());
  put_gone(6);
  EXPECT_TRUE(
      raises(kRunFolderBusy, [&] { FolderLock other(root_, fast()); }, std::to_string(::getpid())));
  lock.require_held();
}

TEST_F(FolderLockTest, AllDeadLocksAreRemoved) {
  fs::create_directory(root_);
  for (const uint64_t number : {3, 5, 6}) put_gone(number);
  const FolderLock lock(root_, fast());
  EXPECT_EQ(names(), Names{".lock-000007"});
}

// When it creates number 6, the dead holder of number 5 was replaced and its successor has ended.
// Another process has begun again at number 1.
TEST_F(FolderLockTest, AProcessThatWasTooSlowWithdraws) {
  fs::create_directory(root_);
  put_gone(5);
  std::unique_ptr<FolderLock> other;
  on_link = [&] {
    on_link = nullptr;
    fs::remove(lock_path(root_, 5));
    other = std::make_unique<FolderLock>(root_, fast());
    return 0;
  };
  EXPECT_TRUE(
      raises(kRunFolderBusy, [&] { FolderLock lock(root_, fast()); }, std::to_string(::getpid())));
  ASSERT_TRUE(other);
  EXPECT_EQ(names(), Names{".lock-000001"});
  other->require_held();
  EXPECT_FALSE(other->lost());
}

TEST_F(FolderLockTest, OneOfSeveralWins) {
  constexpr int kChildren = 8, kRounds = 24;
  for (int round = 0; round < kRounds; ++round) {
    fs::create_directory(root_);
    if (round % 2 == 0) put_gone(static_cast<uint64_t>(round) + 1);
    on_link = round % 4 < 2 ? nullptr : std::function<int()>([] { return EPERM; });
    std::array<int, 2> start{}, results{};
    ASSERT_EQ(::pipe(start.data()), 0);
    ASSERT_EQ(::pipe(results.data()), 0);
    std::vector<ChildProcess> children;
    for (int i = 0; i < kChildren; ++i) {
      children.emplace_back([&] {
        char c = 0;
        ::close(start[1]);
        ::close(results[0]);
        if (::read(start[0], &c, 1) != 0) return 3;  // all begin when the parent closes its end
        const auto say = [&](char result) { return ::write(results[1], &result, 1) == 1; };
        std::unique_ptr<FolderLock> lock;
        const Caught error =
            catch_error([&] { lock = std::make_unique<FolderLock>(root_, fast()); });
        if (!lock) return say(error.is(kRunFolderBusy, root_.string()) ? 'b' : '?') ? 0 : 4;
        if (!say('w')) return 4;
        // Until the others have given up.
        const bool alone = awaited([&] { return fs::exists(root_ / "end"); });
        lock->require_held();
        return alone && !lock->lost() ? 0 : 5;
      });
    }
    ::close(start[0]);
    ::close(start[1]);
    ::close(results[1]);
    std::string said;
    for (char c = 0; said.size() < kChildren && ::read(results[0], &c, 1) == 1;) said += c;
    ::close(results[0]);
    std::sort(said.begin(), said.end());
    EXPECT_EQ(said, std::string(kChildren - 1, 'b') + "w");
    EXPECT_EQ(lock_numbers(root_).size(), 1u);
    write_file(root_ / "end", "");
    for (ChildProcess& child : children) EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(names(), Names{"end"}) << "nothing is left, temporaries included";
    fs::remove_all(root_);
    if (HasFailure()) break;
  }
}

/// Runs in a child: whether a holder whose disk is `changed` after its start still beats. `counts`
/// tells whether the counter goes on; else the file's time does.
int beats_after(const fs::path& root, const std::function<bool()>& before,
                const std::function<bool()>& changed, bool counts) {
  if (!before()) return kSkipped;
  const FolderLock lock(root, fast());
  if (!changed()) return kSkipped;
  const SeenLock first = *read_lock(lock.path());
  const bool alive = awaited([&] {
    const auto seen = read_lock(lock.path());
    return seen && (counts ? seen->holder.beat >= first.holder.beat + 3
                           : seen->changed > first.changed && seen->holder.beat == 0);
  });
  lock.require_held();
  return alive ? 0 : 1;
}

TEST_F(FolderLockTest, BeatsOnAFullDisk) {
  fs::create_directory(root_);
  ChildProcess child([&] {
    return beats_after(
        root_,
        [&] {
          return (::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
                 ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 ::mount("none", root_.c_str(), "tmpfs", 0, "size=64k") == 0;
        },
        [&] {
          std::ofstream(root_ / "large") << std::string(100'000, 'x');
          std::ofstream(root_ / "one more") << "x";
          return read_file(root_ / "one more").empty();
        },
        true);
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "mounting is not allowed";
  EXPECT_EQ(code, 0);
}

TEST_F(FolderLockTest, BeatsByTheFilesTimeWhereNothingCanBeWritten) {
  ChildProcess child([&] {
    return beats_after(
        root_, [] { return refuse_calls({SYS_pwrite64}, ENOSPC); }, [] { return true; }, false);
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "seccomp is not allowed";
  EXPECT_EQ(code, 0);
}

TEST_F(FolderLockTest, NoSpaceForTheLockIsAnError) {
  ChildProcess child([&] {
    if (!refuse_calls({SYS_write}, ENOSPC)) return kSkipped;
    const Caught error = catch_error([&] { FolderLock lock(root_, fast()); });
    return error.is(kDiskFull, root_.string()) && !fs::exists(root_) ? 0 : 1;
  });
  const int code = child.wait();
  if (code == kSkipped) GTEST_SKIP() << "seccomp is not allowed";
  EXPECT_EQ(code, 0);
}

TEST_F(FolderLockTest, NeedsNoHardLinks) {
  fs::create_directory(root_);
  for (const int refusal : {EPERM, EOPNOTSUPP, ENOSYS, EMLINK}) {
    on_link = [&] { return refusal; };
    put_gone(1);
    const FolderLock lock(root_, fast());
    EXPECT_EQ(names(), Names{".lock-000002"});
    EXPECT_TRUE(raises(
        kRunFolderBusy, [&] { FolderLock other(root_, fast()); }, std::to_string(::getpid())));
    EXPECT_EQ(names(), Names{".lock-000002"});
  }
  on_link = [] { return EIO; };
  EXPECT_TRUE(raises(kWriteFailed, [&] { FolderLock lock(root_, fast()); }, root_.string()));
  EXPECT_EQ(names(), Names{});
}

}  // namespace
}  // namespace dfine

// Takes the place of the C library's.
extern "C" int link(const char* from, const char* to) noexcept {
  const auto called = dfine::on_link;  // it may change
  if (const int refusal = called ? called() : 0; refusal != 0) {
    errno = refusal;
    return -1;
  }
  return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
