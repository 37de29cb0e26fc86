#include "files/atomic_path.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/host_name.h"
#include "core/text.h"
#include "files/file_error.h"
#include "files/file_sync.h"
#include "files/output_file.h"
#include "files/process_id.h"

namespace dfine::inline files {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

void sync_file_system(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw_file_error("open", path, errno);
  const bool failed = ::syncfs(file) != 0;
  const int code = errno;
  ::close(file);
  if (failed) throw_file_error("write to disk", path, code);
}

void sync_tree(const fs::path& folder) {
  // Many small files: one wait for the whole file system instead of one, of about a millisecond,
  // for each.
  constexpr size_t kMany = 1000;
  std::vector<fs::path> paths;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() || entry.is_directory()) paths.push_back(entry.path());
    }
  } catch (const fs::filesystem_error& e) {
    throw_file_error("read", e.path1(), e.code().value());
  }
  if (paths.size() >= kMany) {
    sync_file_system(folder);
    return;
  }
  for (const fs::path& path : paths) sync_to_disk(path);
  sync_to_disk(folder);
}

fs::path parent_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

constexpr std::string_view kMark = ".partial-";

/// `name`, or its beginning and a checksum. A temporary's name has at most 121 bytes more, and a
/// name may have 255.
std::string shortened(const std::string& name) {
  constexpr size_t kLongest = 130, kKept = 120;
  if (name.size() <= kLongest) return name;
  size_t kept = kKept;
  while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xC0) == 0x80) --kept;  // UTF-8
  const uint32_t checksum = crc32c({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  return str_cat(name.substr(0, kept), "~", std::hex, checksum);
}

/// What the name of every temporary of `target` begins with.
std::string temporary_prefix(const fs::path& target) {
  return str_cat(".", shortened(target.filename().string()), kMark);
}

/// Whether `name` ends in "-N"; then only what is before it stays.
bool cut_number(std::string_view& name) {
  const size_t digits = name.size() - (name.find_last_not_of("0123456789") + 1);
  if (digits == 0 || digits + 1 >= name.size() || name[name.size() - digits - 1] != '-')
    return false;
  name.remove_suffix(digits + 1);
  return true;
}

/// Whether a temporary belongs to a process that is gone: `rest` is its name behind the prefix.
bool owner_is_gone(std::string_view rest) {
  if (!cut_number(rest)) return false;
  const auto owner = parse_process_id(rest);
  return owner && is_gone(*owner);
}

/// The same for the names that earlier builds gave: `.NAME.partial-HOST-PID-N`.
bool earlier_owner_is_gone(std::string_view rest) {
  const std::string host = str_cat(host_name(), "-");
  if (!cut_number(rest) || !rest.starts_with(host)) return false;
  rest.remove_prefix(host.size());
  pid_t pid = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), pid);
  return parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size() && pid > 0 &&
         ::kill(pid, 0) != 0 && errno == ESRCH;
}

/// Removes the entries of `folder` whose name `is_leftover`. Failing to is no error, they only take
/// space.
void remove_entries(const fs::path& folder,
                    const std::function<bool(const std::string& name)>& is_leftover) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (is_leftover(entry->path().filename().string())) found.push_back(entry->path());
  }
  for (const fs::path& path : found) {
    std::error_code failed;
    fs::remove_all(path, failed);
  }
}

void remove_leftovers(const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  const std::string earlier = str_cat(".", target.filename().string(), kMark);
  remove_entries(parent_of(target), [&](const std::string& name) {
    const std::string_view text = name;
    return (name.starts_with(prefix) && owner_is_gone(text.substr(prefix.size()))) ||
           (name.starts_with(earlier) && earlier_owner_is_gone(text.substr(earlier.size())));
  });
}

fs::path normalised(fs::path target) {
  target = target.lexically_normal();
  if (!target.has_filename()) target = target.parent_path();  // "runs/pack/"
  if (target.filename().empty() || target.filename() == "." || target.filename() == "..") {
    throw Error(kWriteFailed, str_cat("cannot write to '", target.string(), "'"),
                "give the name of a file or folder that can be created or replaced");
  }
  return target;
}

/// `create` makes a new file or folder of the name that it is given, or returns the errno.
fs::path make_temporary(const fs::path& target, const std::function<int(const char*)>& create) {
  static std::atomic<unsigned> serial{0};
  remove_leftovers(target);
  const std::string prefix = str_cat(temporary_prefix(target), to_text(this_process()), "-");
  constexpr int kTries = 1000;
  for (int i = 0;; ++i) {
    const fs::path path = parent_of(target) / str_cat(prefix, serial++);
    const int code = create(path.c_str());
    if (code == 0) return path;
    if (code != EEXIST || i == kTries) throw_file_error("create", path, code);
  }
}

/// What a rename would replace, or fail to: devices, pipes and sockets, also behind a link, and
/// folders. A link to a folder is replaced itself.
void require_replaceable(const fs::path& target) {
  std::error_code ignored;
  if (fs::is_directory(fs::symlink_status(target, ignored)))
    throw_file_error("replace", target, EISDIR);
  const fs::file_status status = fs::status(target, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status) || fs::is_directory(status)) return;
  throw Error(kWriteFailed,
              str_cat("cannot write to ", target.string(), ": it is a device, a pipe or a socket"),
              "give the name of a file that can be created or replaced");
}

fs::path temporary_file(const fs::path& target) {
  require_replaceable(target);
  return make_temporary(target, [](const char* path) {
    const int file = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return errno;
    ::close(file);
    return 0;
  });
}

fs::path temporary_folder(const fs::path& target) {
  return make_temporary(target,
                        [](const char* path) { return ::mkdir(path, 0777) == 0 ? 0 : errno; });
}

void rename_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw_file_error("rename the finished output to", to, errno);
}

}  // namespace

MadeFolders::MadeFolders(const fs::path& folder) {
  std::vector<fs::path> missing;
  std::error_code failed;
  for (fs::path p = folder; !p.empty() && !fs::is_directory(p, failed); p = p.parent_path())
    missing.push_back(p);
  for (auto p = missing.rbegin(); p != missing.rend(); ++p) {
    if (::mkdir(p->c_str(), 0777) == 0) {
      made_.push_back(*p);
    } else if (const int code = errno;
               !fs::is_directory(*p, failed)) {  // another process may have been faster
      remove();
      throw_file_error("create the folder", *p, code);
    }
  }
}

MadeFolders::~MadeFolders() {
  remove();
}

void MadeFolders::remove() noexcept {
  for (auto p = made_.rbegin(); p != made_.rend(); ++p) ::rmdir(p->c_str());
  made_.clear();
}

void MadeFolders::keep() {
  for (const fs::path& folder : std::exchange(made_, {})) sync_to_disk(parent_of(folder));
}

AtomicFile::AtomicFile(fs::path target)
    : target_(normalised(std::move(target))),
      parents_(parent_of(target_)),
      path_(temporary_file(target_)) {}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!committed_) fs::remove(path_, ignored);
}

void AtomicFile::commit() {
  std::error_code ignored;
  if (fs::is_directory(target_, ignored)) throw_file_error("replace", target_, EISDIR);
  sync_to_disk(path_);
  rename_over(path_, target_);
  committed_ = true;
  sync_to_disk(parent_of(target_));
  parents_.keep();
}

AtomicFolder::AtomicFolder(fs::path target)
    : target_(normalised(std::move(target))),
      parents_(parent_of(target_)),
      path_(temporary_folder(target_)) {}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(path_, ignored);
}

void AtomicFolder::commit(const std::function<void()>& before_replacing) {
  sync_tree(path_);
  std::error_code ignored;
  const fs::file_status status = fs::status(target_, ignored);
  if (!fs::exists(status)) {
    rename_over(path_, target_);
    committed_ = true;
    sync_to_disk(parent_of(target_));
    parents_.keep();
    return;
  }
  if (!fs::is_directory(status)) throw_file_error("replace", target_, ENOTDIR);
  before_replacing();
  const fs::path old = exchange();
  committed_ = true;
  // In this order: after a power failure one of the two is there whole.
  sync_to_disk(parent_of(target_));
  fs::remove_all(old, ignored);
}

fs::path AtomicFolder::exchange() {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0)
    return path_;
  AtomicFolder old(target_);
  ::rmdir(old.path_.c_str());  // a target that is a link would not replace it
  rename_over(target_, old.path_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    const int code = errno;
    old.committed_ = true;  // the old content stays, whatever happens
    rename_over(old.path_, target_);
    throw_file_error("rename the finished output to", target_, code);
  }
  old.committed_ = true;
  return old.path_;
}

void AtomicFolder::commit_new() {
  sync_tree(path_);
  // rename() takes the place of an empty folder and of nothing else (POSIX), in one step on every
  // file system.
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    const int code = errno;
    if (code == ENOTEMPTY || code == EEXIST || code == ENOTDIR)
      throw Error(kFileChanged, str_cat(target_.string(), " was made by another program meanwhile"),
                  "it was left alone: choose another place");
    throw_file_error("rename the finished output to", target_, code);
  }
  committed_ = true;
  sync_to_disk(parent_of(target_));
  parents_.keep();
}

void remove_leftovers_in(const fs::path& folder) {
  remove_entries(folder, [](const std::string& name) {
    const size_t mark = name.find(kMark);
    return name.starts_with('.') && mark != std::string::npos && mark > 1;
  });
}

void write_file_atomically(const fs::path& target, std::string_view text) {
  AtomicFile file(target);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, file.target());
  out.write(text);
  out.close();
  file.commit();
}

}  // namespace dfine::inline files
