#include "files/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "files/file_error.h"

namespace dfine::inline files {
namespace {

int flags_of(OutputFile::Mode mode) {
  return O_WRONLY | O_CREAT | O_CLOEXEC | (mode == OutputFile::Mode::kAppend ? O_APPEND : O_TRUNC);
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path, Mode mode,
                       const std::filesystem::path& name)
    : name_(name.empty() ? path : name), descriptor_(::open(path.c_str(), flags_of(mode), 0666)) {
  if (descriptor_ < 0) throw_file_error("open", name_, errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error("write", name_, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void OutputFile::append_whole(std::string_view bytes) {
  struct stat before{};
  const bool known = ::fstat(descriptor_, &before) == 0;
  try {
    write(bytes);
  } catch (...) {
    struct stat after{};
    // Not what another process may have made shorter meanwhile.
    if (known && ::fstat(descriptor_, &after) == 0 && after.st_size > before.st_size &&
        ::ftruncate(descriptor_, before.st_size) == 0)
      ::lseek(descriptor_, before.st_size, SEEK_SET);
    throw;
  }
}

void OutputFile::write(const void* bytes, size_t count) {
  write({static_cast<const char*>(bytes), count});
}

void OutputFile::close() {
  // Not tried again after EINTR: Linux has closed the descriptor by then.
  if (::close(std::exchange(descriptor_, -1)) == 0 || errno == EINTR) return;
  throw_file_error("write", name_, errno);
}

}  // namespace dfine::inline files
