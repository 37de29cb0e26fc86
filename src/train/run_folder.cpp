#include "train/run_folder.h"

#include "core/error.h"
#include "core/text.h"

namespace dfine {

namespace fs = std::filesystem;

fs::path RunFolder::resume_from(const std::string& resume) const {
  if (resume == "none") return {};
  if (resume == "auto") return fs::exists(checkpoint("last")) ? checkpoint("last") : fs::path();
  if (!fs::is_directory(resume))
    throw Error(cat("--resume ", resume, ": no such checkpoint folder"), "give a checkpoint folder, auto or none");
  return resume;
}

fs::path RunFolder::prepare(bool new_run) const {
  std::error_code failed;
  fs::create_directories(dir_ / "checkpoints", failed);
  if (failed) throw Error(cat("cannot make the run folder ", dir_.string(), ": ", failed.message()), "check run.dir");
  if (!new_run || (!fs::exists(metrics()) && fs::is_empty(dir_ / "checkpoints"))) return {};

  fs::path previous;
  for (int n = 1; previous.empty() || fs::exists(previous); ++n) previous = dir_ / cat("previous-", n);
  fs::create_directory(previous);
  for (const auto& path : {dir_ / "checkpoints", metrics(), config(), log()}) {
    if (fs::exists(path)) fs::rename(path, previous / path.filename());
  }
  fs::create_directory(dir_ / "checkpoints");
  return previous;
}

}  // namespace dfine
