#include "files/atomic_path.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "files/file_error.h"
#include "files/output_file.h"

namespace dfine::inline files {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, std::string_view action)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (fd_ < 0) throw_file_error(action, path, errno);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void sync_to_disk(const fs::path& path) {
  const Descriptor file(path, O_RDONLY, "open");
  // Some file systems cannot sync a folder (EINVAL); they need not, as they order metadata
  // themselves.
  if (::fsync(file.get()) != 0 && errno != EINVAL) throw_file_error("write to disk", path, errno);
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
    const Descriptor any(folder, O_RDONLY, "open");
    if (::syncfs(any.get()) != 0) throw_file_error("write to disk", folder, errno);
    return;
  }
  for (const fs::path& path : paths) sync_to_disk(path);
  sync_to_disk(folder);
}

std::string host_name() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.c_str();
}

fs::path parent_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

std::string temporary_prefix(const fs::path& target) {
  return str_cat(".", target.filename().string(), ".partial-", host_name(), "-");
}

/// Removes temporaries of `target` whose process on this host is gone; failing to is no error, they
/// only take space.
void remove_leftovers(const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code ignored;
  for (fs::directory_iterator entry(parent_of(target), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    pid_t pid = 0;
    const auto parsed =
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH) continue;
    std::error_code failed;
    fs::remove_all(entry->path(), failed);
  }
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

fs::path temporary_for(const fs::path& target) {
  static std::atomic<unsigned> serial{0};
  remove_leftovers(target);
  return parent_of(target) / str_cat(temporary_prefix(target), ::getpid(), "-", serial++);
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
      path_(temporary_for(target_)) {
  const Descriptor created(path_, O_WRONLY | O_CREAT | O_EXCL, "create");
}

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
      path_(temporary_for(target_)) {
  if (::mkdir(path_.c_str(), 0777) != 0) throw_file_error("create", path_, errno);
}

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
  } else {
    if (!fs::is_directory(status)) throw_file_error("replace", target_, ENOTDIR);
    before_replacing();
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) {
      committed_ = true;
    } else {
      const fs::path old = temporary_for(target_);
      rename_over(target_, old);
      if (::rename(path_.c_str(), target_.c_str()) != 0) {
        const int code = errno;
        rename_over(old, target_);
        throw_file_error("rename the finished output to", target_, code);
      }
      committed_ = true;
      path_ = old;
    }
    fs::remove_all(path_, ignored);
  }
  sync_to_disk(parent_of(target_));
  parents_.keep();
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

void write_file_atomically(const fs::path& target, std::string_view text) {
  AtomicFile file(target);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, file.target());
  out.write(text);
  out.close();
  file.commit();
}

}  // namespace dfine::inline files
