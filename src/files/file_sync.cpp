#include "files/file_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "files/file_error.h"

namespace dfine::inline files {

void sync_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw_file_error("open", path, errno);
  // Some file systems cannot sync a folder (EINVAL); they need not, as they order metadata
  // themselves.
  const bool failed = ::fsync(file) != 0 && errno != EINVAL;
  const int code = errno;
  ::close(file);
  if (failed) throw_file_error("write to disk", path, code);
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
