#include "files/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "core/printable.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "files/output_file.h"

namespace dfine::inline files {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = ".lock-";
constexpr int kBeatDigits = 10;

std::string padded(uint64_t number, int digits) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%0*llu", digits,
                static_cast<unsigned long long>(number));
  return buffer.data();
}

std::string beat_text(uint64_t beat) {
  return padded(beat, kBeatDigits) + "\n";
}

std::string lock_name(uint64_t number) {
  return str_cat(kPrefix, padded(number, 6));
}

template <class Number>
void parse_number(std::string_view text, Number& value) {
  Number parsed{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size()) value = parsed;
}

void set_field(LockHolder& holder, std::string_view key, std::string_view value) {
  if (key == "token") holder.token = value;
  if (key == "host") holder.host = value;
  if (key == "process") holder.process = value;
  if (key == "pid") parse_number(value, holder.pid);
  if (key == "slurm_job") holder.slurm_job = value;
  if (key == "slurm_restarts") parse_number(value, holder.slurm_restarts);
  if (key == "lock_seconds") parse_number(value, holder.lock_seconds);
  if (key == "since") holder.since = value;
  if (key == "beat") parse_number(value, holder.beat);
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Whether all went well: network file systems may report a failed write only here.
  bool close() {
    const int fd = fd_;
    fd_ = -1;
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

/// Nothing when it cannot be read; errno says why.
std::optional<SeenLock> read_open(int file) {
  std::array<char, 4096> text{};
  struct stat status{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  if (size < 0 || ::fstat(file, &status) != 0) return {};
  return SeenLock{parse_lock({text.data(), static_cast<size_t>(size)}),
                  int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

/// Opens the lock file at `path` and hands it to `change` if it is the one of `holder`. What is
/// opened stays the same file, even if another one takes its name meanwhile.
template <class Change>
bool change_own(const fs::path& path, const LockHolder& holder, const Change& change) {
  Descriptor file(path, O_RDWR);
  if (file.get() < 0) return false;
  const auto seen = read_open(file.get());
  return seen && seen->holder.token == holder.token && change(file.get()) && file.close();
}

}  // namespace

std::string lock_text(const LockHolder& holder) {
  // printable(): one line per field, whatever a host or a job is called. The beat is the last field
  // and has a fixed width, so that write_beat() finds it.
  return str_cat("token=", holder.token, "\nhost=", printable(holder.host),
                 "\nprocess=", holder.process, "\npid=", holder.pid,
                 "\nslurm_job=", printable(holder.slurm_job),
                 "\nslurm_restarts=", holder.slurm_restarts, "\nlock_seconds=", holder.lock_seconds,
                 "\nsince=", holder.since, "\nbeat=", beat_text(holder.beat));
}

LockHolder parse_lock(std::string_view text) {
  LockHolder holder;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (const size_t equals = line.find('='); equals != std::string_view::npos)
      set_field(holder, line.substr(0, equals), line.substr(equals + 1));
  }
  return holder;
}

std::string described(const LockHolder& holder) {
  if (holder.token.empty()) return "a process whose lock file is not complete";
  return str_cat("process ", holder.pid, " on host ", holder.host,
                 holder.slurm_job.empty() ? "" : str_cat(" (Slurm job ", holder.slurm_job, ")"),
                 " since ", holder.since);
}

fs::path lock_path(const fs::path& folder, uint64_t number) {
  return folder / lock_name(number);
}

std::vector<uint64_t> lock_numbers(const fs::path& folder) {
  std::vector<uint64_t> numbers;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    uint64_t number = 0;
    parse_number(std::string_view(name).substr(kPrefix.size()), number);
    if (number > 0 && name == lock_name(number)) numbers.push_back(number);
  }
  if (failed && failed != std::errc::no_such_file_or_directory)
    throw_file_error("read the folder", folder, failed.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::optional<SeenLock> read_lock(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() >= 0) {
    if (auto seen = read_open(file.get())) return seen;
  }
  if (errno == ENOENT || errno == ESTALE) return {};  // ESTALE: removed on another host
  throw_file_error("read", path, errno);
}

bool create_lock(const fs::path& folder, uint64_t number, const LockHolder& holder) {
  const fs::path path = lock_path(folder, number);
  const std::string text = lock_text(holder);
  const AtomicFile temporary(folder / "lock");  // .lock.partial-...: not the name of a lock
  OutputFile out(temporary.path(), OutputFile::Mode::kTruncate, path);
  out.write(text);
  out.close();
  if (::link(temporary.path().c_str(), path.c_str()) == 0) return true;
  switch (errno) {
    case EEXIST: {  // perhaps by our own request: NFS repeats it if the answer was lost
      const auto seen = read_lock(path);
      return seen && seen->holder.token == holder.token;
    }
    case ENOENT:  // somebody removed the temporary file
      return false;
    case EPERM:  // a file system without hard links
    case EOPNOTSUPP:
    case ENOSYS:
    case EMLINK:
      break;
    default:
      throw_file_error("create", path, errno);
  }
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0 && errno == EEXIST) return false;
  if (file < 0) throw_file_error("create", path, errno);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int code = written ? 0 : errno;
  if (::close(file) == 0 && written) return true;
  const int reason = code != 0 ? code : errno;
  ::unlink(path.c_str());
  throw_file_error("write", path, reason);
}

bool write_beat(const fs::path& path, const LockHolder& holder) {
  const std::string beat = beat_text(holder.beat);
  const auto offset = static_cast<off_t>(lock_text(holder).size() - beat.size());
  const auto size = static_cast<ssize_t>(beat.size());
  return change_own(
             path, holder,
             [&](int file) { return ::pwrite(file, beat.data(), beat.size(), offset) == size; }) ||
         change_own(path, holder, [](int file) { return ::futimens(file, nullptr) == 0; });
}

}  // namespace dfine::inline files
