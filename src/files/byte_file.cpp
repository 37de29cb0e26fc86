#include "files/byte_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline files {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int code) {
  const char* hint = "";
  if (code == EMFILE || code == ENFILE)
    hint = "raise the limit of open files (ulimit -Hn), or pack with a larger --shard-size";
  if (code == EACCES) hint = "check the file's permissions";
  throw Error(read_error_code(code),
              str_cat("cannot read ", printable(path), ": ", std::generic_category().message(code)),
              hint);
}

/// Descriptors are given out from below: `newest` says how many are used. The other half stays for
/// sockets and the like.
void keep_half_of_the_limit_free(int newest) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || static_cast<rlim_t>(newest) < limit.rlim_cur / 2)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // where it is refused, open() says so in the end
}

}  // namespace

ByteFile::ByteFile(std::filesystem::path path)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // nobody may write to a pipe
  if (fd_ < 0) fail(path_, errno);
  struct stat status{};
  if (::fstat(fd_, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    ::close(fd_);
    throw Error(ErrorCode::kFormatInvalid, str_cat(path_.string(), ": not a regular file"),
                "give a file of which the size is known");
  }
  keep_half_of_the_limit_free(fd_);
}

ByteFile::~ByteFile() {
  if (fd_ >= 0) ::close(fd_);
}

ByteFile::ByteFile(ByteFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

uint64_t ByteFile::size() const {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) fail(path_, errno);
  return static_cast<uint64_t>(status.st_size);
}

void ByteFile::read(uint64_t offset, uint64_t size, std::vector<uint8_t>& bytes) const {
  bytes.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, errno);
    if (got == 0)
      throw Error(ErrorCode::kFileDamaged,
                  str_cat(printable(path_), " ends at byte ", offset + done, "; ", size - done,
                          " more were expected"));
    done += static_cast<size_t>(got);
  }
}

void ByteFile::prefetch(uint64_t offset, uint64_t size) const noexcept {
  ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
}

}  // namespace dfine::inline files
