#include "files/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/stop_request.h"
#include "core/text.h"

namespace dfine::inline files {
namespace {

bool unsupported(int code) {
  return code == ENOSYS || code == ENOLCK || code == EOPNOTSUPP;
}

/// Whether somebody removed the file since it was opened: others then lock another one.
bool is_removed(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && status.st_nlink == 0;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, const std::string& waiting,
                   const std::string& hint, Unsupported without) {
  const auto fail = [&](int code) {
    if (fd_ >= 0) ::close(fd_);
    throw Error(write_error_code(code),
                str_cat("cannot lock ", path.string(), ": ", std::generic_category().message(code)),
                hint);
  };
  bool announced = false;
  for (;;) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(errno);
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int code = errno;
      if (without == Unsupported::kGoOn && unsupported(code)) return;
      if (code != EINTR && code != EWOULDBLOCK) fail(code);
      if (code == EWOULDBLOCK && !announced) log::local_info(waiting);
      announced = announced || code == EWOULDBLOCK;
      try {
        end_if_stop_requested();
      } catch (...) {
        ::close(fd_);
        throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (!is_removed(fd_)) return;
    ::close(fd_);
  }
}

FileLock::~FileLock() {
  ::close(fd_);
}

}  // namespace dfine::inline files
