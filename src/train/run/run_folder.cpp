#include "train/run/run_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/error.h"
#include "core/text.h"
#include "files/absolute_path.h"

namespace dfine::inline run {
using enum ErrorCode;

namespace fs = std::filesystem;

namespace {

constexpr size_t kLongestName = 255;  // bytes, of Linux's file systems (NAME_MAX)

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

/// Whether there is anything but temporaries.
bool holds_something(const fs::path& folder) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed))
    if (!is_hidden(entry->path())) return true;
  return false;
}

}  // namespace

void RunFolder::require_usable(int64_t bytes) const {
  const auto unusable = [&](ErrorCode code, const std::string& why, const std::string& hint) {
    return Error(code, str_cat("the run folder ", dir_.string(), " cannot be used: ", why), hint);
  };
  // What is there of the path: checkpoints itself, or the folder in which the rest will be made.
  fs::path existing = absolute_path(dir_ / "checkpoints");
  std::error_code failed;
  while (!fs::exists(fs::symlink_status(existing, failed))) existing = existing.parent_path();
  for (const fs::path& part : dir_) {
    if (part.native().size() > kLongestName)
      throw unusable(kBadValue, str_cat("a name of ", part.native().size(), " bytes is too long"),
                     "set run.dir to a shorter path");
  }
  if (!fs::is_directory(existing))
    throw unusable(kFileExists, str_cat(existing.string(), " is not a folder"),
                   "set run.dir to another folder");
  std::string probe = (existing / ".dfine-probe-XXXXXX").string();
  if (mkdtemp(probe.data()) == nullptr) {
    throw unusable(
        write_error_code(errno),
        str_cat("nothing can be written to ", existing.string(), ": ", std::strerror(errno)),
        "set run.dir to a folder that you may write to");
  }
  fs::remove(probe, failed);
  const auto room = fs::space(existing, failed);
  if (!failed && room.available < static_cast<std::uintmax_t>(bytes)) {
    throw unusable(kDiskFull,
                   str_cat(human_bytes(static_cast<double>(room.available)),
                           " are free there, one checkpoint takes about ",
                           human_bytes(static_cast<double>(bytes))),
                   "make room, or set run.dir to a folder on another disk");
  }
}

bool RunFolder::has_saved() const {
  if (holds_something(checkpoints())) return true;
  std::ifstream lines(metrics());
  for (std::string line; std::getline(lines, line);)
    if (line.find(R"("event":"saved")") != std::string::npos) return true;
  return false;
}

fs::path RunFolder::prepare(bool new_run) const {
  std::error_code failed;
  fs::create_directories(checkpoints(), failed);
  if (failed)
    throw Error(write_error_code(failed.value()),
                str_cat("cannot make the run folder ", dir_.string(), ": ", failed.message()),
                "check run.dir");
  if (!new_run || (!fs::exists(metrics()) && !holds_something(checkpoints()))) return {};

  fs::path previous;
  for (int n = 1; previous.empty() || fs::exists(previous); ++n)
    previous = dir_ / str_cat("previous-", n);
  fs::create_directory(previous);
  for (const auto& path :
       {checkpoints(), metrics(), config(), log(), tensorboard(), report(), predictions()}) {
    if (fs::exists(path)) fs::rename(path, previous / path.filename());
  }
  fs::create_directory(checkpoints());
  return previous;
}

}  // namespace dfine::inline run
