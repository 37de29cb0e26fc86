#include "train/run/best_checkpoint.h"

#include <system_error>

#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "train/checkpoint/checkpoint_metrics.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

/// By hard links where the file system has them. False if there is nothing to copy.
bool copy_checkpoint(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::directory_iterator file(from, failed);
  if (failed) return false;
  AtomicFolder copy(to);
  for (const auto& entry : file) {
    const fs::path target = copy.path() / entry.path().filename();
    fs::create_hard_link(entry.path(), target, failed);
    if (failed) fs::copy_file(entry.path(), target, failed);
    if (failed)
      throw_file_error(str_cat("copy ", entry.path().string(), " to"), target, failed.value());
  }
  copy.commit();
  return true;
}

}  // namespace

bool keep_stage1_best(const RunFolder& folder) {
  return copy_checkpoint(folder.checkpoint("best"), folder.checkpoint("best_stage1"));
}

bool import_best(const RunFolder& folder, const fs::path& from, int64_t best_step) {
  if (fs::exists(folder.checkpoint("best"))) return true;
  const fs::path beside = from.parent_path();
  for (const fs::path& candidate : {beside / "best", from}) {
    if (!fs::exists(candidate / "metrics.json") ||
        read_checkpoint_step(candidate / "metrics.json") != best_step)
      continue;
    copy_checkpoint(beside / "best_stage1", folder.checkpoint("best_stage1"));
    return copy_checkpoint(candidate, folder.checkpoint("best"));
  }
  return false;
}

}  // namespace dfine::inline run
