#include "train/run/run_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "core/error.h"
#include "core/text.h"
#include "files/absolute_path.h"
#include "weights/checkpoints_in.h"

namespace dfine::inline run {
using enum ErrorCode;

namespace fs = std::filesystem;

namespace {

constexpr size_t kLongestName = 255;  // bytes, of Linux's file systems (NAME_MAX)

/// A path that --resume was given.
void require_checkpoint(const std::string& resume) {
  const fs::path folder(resume);
  if (fs::is_directory(folder) && fs::exists(folder / "state.pth")) return;
  const std::string inside = checkpoints_in(folder, "state.pth", {"last", "best"});
  if (!inside.empty())
    throw Error(kFormatInvalid,
                str_cat("--resume ", resume, ": a folder with checkpoints, not a checkpoint"),
                "give " + inside);
  const char* const hint =
      "give a checkpoint folder such as RUN_DIR/checkpoints/last, auto or none";
  if (!fs::exists(folder))
    throw Error(kFileMissing, str_cat("--resume ", resume, ": no such checkpoint folder"), hint);
  if (!fs::is_directory(folder))
    throw Error(
        kFormatInvalid, str_cat("--resume ", resume, ": a file, not a checkpoint folder"),
        folder.filename() == "state.pth" ? str_cat("give ", folder.parent_path().string()) : hint);
  throw Error(kFileMissing,
              str_cat("--resume ", resume, ": not a checkpoint of a run: state.pth is missing"),
              fs::exists(folder / "model.safetensors")
                  ? str_cat("to start a new run from these weights, set model.weights=", resume)
                  : hint);
}

}  // namespace

fs::path RunFolder::resume_from(const std::string& resume) const {
  if (resume == "none") return {};
  if (resume == "auto") return fs::exists(checkpoint("last")) ? checkpoint("last") : fs::path();
  require_checkpoint(resume);
  return resume;
}

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

fs::path RunFolder::prepare(bool new_run) const {
  std::error_code failed;
  fs::create_directories(dir_ / "checkpoints", failed);
  if (failed)
    throw Error(write_error_code(failed.value()),
                str_cat("cannot make the run folder ", dir_.string(), ": ", failed.message()),
                "check run.dir");
  if (!new_run || (!fs::exists(metrics()) && fs::is_empty(dir_ / "checkpoints"))) return {};

  fs::path previous;
  for (int n = 1; previous.empty() || fs::exists(previous); ++n)
    previous = dir_ / str_cat("previous-", n);
  fs::create_directory(previous);
  for (const auto& path : {dir_ / "checkpoints", metrics(), config(), log()}) {
    if (fs::exists(path)) fs::rename(path, previous / path.filename());
  }
  fs::create_directory(dir_ / "checkpoints");
  return previous;
}

}  // namespace dfine::inline run
