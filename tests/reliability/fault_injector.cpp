// A library for LD_PRELOAD that makes the file system fail below one folder. It needs no LibTorch
// and calls the kernel directly, so that nothing of the C library is in between. Calls that the C
// library makes itself, such as those of fopen() and fwrite(), are not seen.
//
//   DFINE_FAULT_FOLDER  the folder, absolute. Without it nothing happens.
//   DFINE_FAULT_LOG     file to which calls below the folder are appended as "WINDOW NAME PATH".
//                       Without faults all calls, else those that a fault applied to, and after
//                       them " ACTION".
//   DFINE_FAULTS        faults, separated by ';'. Each is "WINDOW NAME GLOB NTH ACTION".
//
// WINDOW tells which checkpoint is being written. P2 begins with the mkdir of the second plain
// one's temporary folder, V1 with that of the first validated one; S0 is before both. It may be a
// pattern: "P*". NAME is a system call, or '*'. GLOB is a pattern of paths relative to the folder,
// in which '*' does not match '/'; alone it means every path. NTH counts such calls from 1; 0: all
// of them, "N-": from the N-th on, "N-M".
//
// ACTION is an errno by name (ENOSPC, ...), or
//   short    a write takes half of its bytes, and the next write of that file is ENOSPC
//   full     ENOSPC if the call needs room on the disk
//   before   the process kills itself before the call
//   after    the same after it
//   SIGUSR1, SIGTERM    the process gets this signal after the call
//
// Only rank zero has faults.
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Fault {
  std::string window, name, glob, action;
  long first = 0, last = LONG_MAX;  // of the calls that it counts
  long seen = 0;
};

int errno_of(const std::string& name) {
  static const std::map<std::string, int> codes{{"ENOSPC", ENOSPC}, {"EIO", EIO},
                                                {"EDQUOT", EDQUOT}, {"ENOSYS", ENOSYS},
                                                {"EINVAL", EINVAL}, {"EPERM", EPERM}};
  const auto found = codes.find(name);
  return found == codes.end() ? 0 : found->second;
}

bool needs_room(const std::string& name) {
  static const std::vector<std::string> names{"write", "pwrite",          "mkdir",
                                              "open",  "copy_file_range", "sendfile",
                                              "link",  "symlink",         "ftruncate"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Injector {
 public:
  Injector() {
    const char* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
    const char* const folder = std::getenv("DFINE_FAULT_FOLDER");
    if (folder == nullptr || (rank != nullptr && std::strcmp(rank, "0") != 0)) return;
    folder_ = std::string(folder) + "/";
    if (const char* const log = std::getenv("DFINE_FAULT_LOG"); log != nullptr)
      log_ = static_cast<int>(
          ::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    const char* const text = std::getenv("DFINE_FAULTS");
    std::istringstream faults(text != nullptr ? text : "");
    for (std::string one; std::getline(faults, one, ';');) {
      std::istringstream fields(one);
      Fault fault;
      std::string nth;
      if (!(fields >> fault.window >> fault.name >> fault.glob >> nth >> fault.action)) {
        std::fprintf(stderr, "DFINE_FAULTS: cannot read '%s'\n", one.c_str());
        std::abort();
      }
      const size_t dash = nth.find('-');
      fault.first = std::atol(nth.c_str());
      if (dash == std::string::npos) {
        if (fault.first > 0) fault.last = fault.first;
      } else if (dash + 1 < nth.size()) {
        fault.last = std::atol(nth.c_str() + dash + 1);
      }
      faults_.push_back(fault);
    }
  }

  bool active() const { return !folder_.empty(); }

  /// What is to happen to the call `name` of `path` (absolute); empty: nothing.
  std::string action(const std::string& name, const std::string& path) {
    if (!path.starts_with(folder_)) return "";
    const std::string relative = path.substr(folder_.size());
    const std::lock_guard lock(mutex_);
    if (name == "mkdir") enter_window(relative);
    std::string action;
    // Threads write several files at once: the rest of this file's write fails, no other one's.
    if (name == "write" && relative == fail_next_write_of_) {
      fail_next_write_of_.clear();
      action = "ENOSPC";
    }
    for (Fault& fault : faults_) {
      if (::fnmatch(fault.window.c_str(), window_.c_str(), 0) != 0 ||
          (fault.name != "*" && fault.name != name) ||
          (fault.glob != "*" && ::fnmatch(fault.glob.c_str(), relative.c_str(), FNM_PATHNAME) != 0))
        continue;
      ++fault.seen;
      if (fault.seen < fault.first || fault.seen > fault.last) continue;
      if (fault.action == "full" && !needs_room(name)) continue;
      action = fault.action == "full" ? "ENOSPC" : fault.action;
    }
    if (action == "short") fail_next_write_of_ = relative;
    if (log_ >= 0 && (faults_.empty() || !action.empty())) {
      std::string line;
      for (const std::string& word : {window_, name, relative, action})
        line.append(line.empty() || word.empty() ? "" : " ").append(word);
      line.append("\n");
      ::syscall(SYS_write, log_, line.data(), line.size());
    }
    return action;
  }

 private:
  void enter_window(const std::string& relative) {
    if (::fnmatch("checkpoints/.step-*.partial-*", relative.c_str(), FNM_PATHNAME) != 0) return;
    const bool validated = relative.find("-val.partial-") != std::string::npos;
    window_ = (validated ? "V" : "P") + std::to_string(validated ? ++validated_ : ++plain_);
  }

  std::string folder_;
  int log_ = -1;
  std::mutex mutex_;
  std::vector<Fault> faults_;
  std::string window_ = "S0";
  int plain_ = 0, validated_ = 0;
  std::string fail_next_write_of_;  // relative to the folder
};

Injector& injector() {
  static auto* const instance = new Injector;  // never destroyed: the last calls come late
  return *instance;
}

/// The path of an open file; empty where it has none.
std::string path_of(int file) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "/proc/self/fd/%d", file);
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink(name.data(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<size_t>(size)) : "";
}

std::string path_at(int folder, const char* path) {
  if (path == nullptr || *path == '/') return path == nullptr ? "" : path;
  if (folder != AT_FDCWD) return path_of(folder) + "/" + path;
  std::array<char, PATH_MAX> here{};
  if (::syscall(SYS_getcwd, here.data(), here.size()) < 0) return path;
  return std::string(here.data()) + "/" + path;
}

[[noreturn]] void die() {
  for (;;) ::kill(::getpid(), SIGKILL);
}

void after_call(const std::string& action) {
  const int before = errno;
  if (action == "after") die();
  if (action == "SIGUSR1") ::kill(::getpid(), SIGUSR1);
  if (action == "SIGTERM") ::kill(::getpid(), SIGTERM);
  errno = before;
}

/// Makes the system call, unless a fault takes its place.
template <class Path, class Call>
long inject(const char* name, const Path& path, const Call& call) {
  if (!injector().active()) return call();
  const int before = errno;
  const std::string action = injector().action(name, path());
  errno = before;
  if (action == "before") die();
  if (const int code = errno_of(action); code != 0) {
    errno = code;
    return -1;
  }
  const long result = call();
  after_call(action);
  return result;
}

long open_at(int folder, const char* path, int flags, mode_t mode) {
  const auto call = [&] { return ::syscall(SYS_openat, folder, path, flags, mode); };
  if ((flags & O_CREAT) == 0) return call();
  return inject("open", [&] { return path_at(folder, path); }, call);
}

mode_t mode_of(int flags, std::va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

long write_to(int file, const void* bytes, size_t count, bool at, int64_t offset) {
  const auto call = [&](size_t size) {
    return at ? ::syscall(SYS_pwrite64, file, bytes, size, offset)
              : ::syscall(SYS_write, file, bytes, size);
  };
  if (!injector().active()) return call(count);
  const int before = errno;
  const std::string action = injector().action(at ? "pwrite" : "write", path_of(file));
  errno = before;
  if (action == "before") die();
  if (const int code = errno_of(action); code != 0) {
    errno = code;
    return -1;
  }
  const long written = call(action == "short" ? (count + 1) / 2 : count);
  after_call(action);
  return written;
}

}  // namespace

// The functions of the C library, as the program calls them.
extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
  return write_to(file, bytes, count, false, 0);
}
ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
  return write_to(file, bytes, count, true, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
  return write_to(file, bytes, count, true, offset);
}
int fsync(int file) {
  return static_cast<int>(
      inject("fsync", [&] { return path_of(file); }, [&] { return ::syscall(SYS_fsync, file); }));
}
int fdatasync(int file) {
  return static_cast<int>(inject(
      "fdatasync", [&] { return path_of(file); }, [&] { return ::syscall(SYS_fdatasync, file); }));
}
int syncfs(int file) noexcept {
  return static_cast<int>(
      inject("syncfs", [&] { return path_of(file); }, [&] { return ::syscall(SYS_syncfs, file); }));
}
int close(int file) {
  const auto call = [&] { return ::syscall(SYS_close, file); };
  // Of a file that was only read, a close has nothing to lose.
  const int before = errno;
  const long flags = ::syscall(SYS_fcntl, file, F_GETFL);
  errno = before;
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return static_cast<int>(call());
  return static_cast<int>(inject("close", [&] { return path_of(file); }, call));
}
int ftruncate(int file, off_t size) noexcept {
  return static_cast<int>(inject(
      "ftruncate", [&] { return path_of(file); },
      [&] { return ::syscall(SYS_ftruncate, file, size); }));
}
int ftruncate64(int file, off64_t size) noexcept {
  return ftruncate(file, size);
}
ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t count,
                        unsigned flags) {
  return inject(
      "copy_file_range", [&] { return path_of(to); },
      [&] { return ::syscall(SYS_copy_file_range, from, from_at, to, to_at, count, flags); });
}
ssize_t sendfile(int to, int from, off_t* offset, size_t count) noexcept {
  return inject(
      "sendfile", [&] { return path_of(to); },
      [&] { return ::syscall(SYS_sendfile, to, from, offset, count); });
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t count) noexcept {
  return sendfile(to, from, offset, count);
}

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(AT_FDCWD, path, flags, mode));
}
int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(AT_FDCWD, path, flags, mode));
}
int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(folder, path, flags, mode));
}
int openat64(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return static_cast<int>(open_at(folder, path, flags, mode));
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return static_cast<int>(inject(
      "mkdir", [&] { return path_at(folder, path); },
      [&] { return ::syscall(SYS_mkdirat, folder, path, mode); }));
}
int mkdir(const char* path, mode_t mode) noexcept {
  return mkdirat(AT_FDCWD, path, mode);
}

// Of two paths the new one counts.
int renameat2(int from, const char* old, int to, const char* path, unsigned flags) noexcept {
  return static_cast<int>(inject(
      flags != 0 ? "renameat2" : "rename", [&] { return path_at(to, path); },
      [&] { return ::syscall(SYS_renameat2, from, old, to, path, flags); }));
}
int renameat(int from, const char* old, int to, const char* path) noexcept {
  return renameat2(from, old, to, path, 0);
}
int rename(const char* old, const char* path) noexcept {
  return renameat2(AT_FDCWD, old, AT_FDCWD, path, 0);
}
int linkat(int from, const char* old, int to, const char* path, int flags) noexcept {
  return static_cast<int>(inject(
      "link", [&] { return path_at(to, path); },
      [&] { return ::syscall(SYS_linkat, from, old, to, path, flags); }));
}
int link(const char* old, const char* path) noexcept {
  return linkat(AT_FDCWD, old, AT_FDCWD, path, 0);
}
int symlinkat(const char* target, int folder, const char* path) noexcept {
  return static_cast<int>(inject(
      "symlink", [&] { return path_at(folder, path); },
      [&] { return ::syscall(SYS_symlinkat, target, folder, path); }));
}
int symlink(const char* target, const char* path) noexcept {
  return symlinkat(target, AT_FDCWD, path);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return static_cast<int>(inject((flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink",
                                 [&] { return path_at(folder, path); },
                                 [&] { return ::syscall(SYS_unlinkat, folder, path, flags); }));
}
int unlink(const char* path) noexcept {
  return unlinkat(AT_FDCWD, path, 0);
}
int rmdir(const char* path) noexcept {
  return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
  const int result = unlink(path);
  return result != 0 && errno == EISDIR ? rmdir(path) : result;
}
}
