#include "files/file_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline files {

void sync_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool failed =
      file < 0 ||
      (::fsync(file) != 0 && errno != EINVAL);  // EINVAL: a file system that cannot sync a folder
  const int code = errno;
  if (file >= 0) ::close(file);
  if (failed) {
    throw Error(
        write_error_code(code),
        str_cat("cannot write ", path.string(),
                " to disk: ", std::generic_category().message(code)),
        code == ENOSPC || code == EDQUOT ? "free some space there or choose another place" : "");
  }
}

void BackgroundSync::add(const std::filesystem::path& path) {
  constexpr size_t kUnderWay = 2;
  try {
    for (; pending_.size() >= kUnderWay; pending_.pop_front()) pending_.front().get();
  } catch (Error& e) {
    e.add_scopes();
    throw;
  }
  pending_.push_back(thread_.submit([path] { sync_to_disk(path); }));
}

void BackgroundSync::finish() {
  for (; !pending_.empty(); pending_.pop_front()) pending_.front().get();
}

}  // namespace dfine::inline files
