#include "weights/checkpoint_link.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "files/atomic_path.h"
#include "files/file_error.h"
#include "files/file_sync.h"
#include "files/output_file.h"

namespace dfine::inline weights {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t kLongest = 256;  // bytes of a link file, far below any file of weights

/// The line of a link file; empty if it is none.
std::string line_of(const fs::path& file) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed) || fs::file_size(file, failed) > kLongest || failed)
    return "";
  std::ifstream in(file, std::ios::binary);
  std::string line;
  if (!std::getline(in, line) || line.empty() || line.find('/') != std::string::npos ||
      in.peek() != std::ifstream::traits_type::eof())
    return "";
  return fs::is_directory(file.parent_path() / line, failed) ? line : "";
}

/// Makes `path` a symbolic link to `name`, or a file with that line where the file system has none.
void make_link(const fs::path& path, const std::string& name) {
  if (::symlink(name.c_str(), path.c_str()) == 0) return;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
    throw_file_error("create", path, errno);
  OutputFile file(path);
  file.write(name + "\n");
  file.close();
  sync_to_disk(path);
}

}  // namespace

fs::path follow_link_file(const fs::path& path) {
  const std::string line = line_of(path);
  return line.empty() ? path : path.parent_path() / line;
}

void write_checkpoint_link(const fs::path& link, const std::string& name) {
  std::error_code failed;
  if (fs::is_directory(fs::symlink_status(link, failed)))
    throw_file_error("replace the folder", link, EISDIR);
  const AtomicFile reserved(link);  // a temporary name of our own
  ::unlink(reserved.path().c_str());
  make_link(reserved.path(), name);
  if (::rename(reserved.path().c_str(), link.c_str()) != 0)
    throw_file_error("replace", link, errno);
  sync_to_disk(link.parent_path());
}

std::string read_checkpoint_link(const fs::path& link) {
  std::error_code failed;
  if (fs::is_symlink(link, failed)) return fs::read_symlink(link, failed).string();
  return line_of(link);
}

}  // namespace dfine::inline weights
