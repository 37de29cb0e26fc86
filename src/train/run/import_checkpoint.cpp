#include "train/run/import_checkpoint.h"

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/link_or_copy.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/run_state_json.h"
#include "train/plan/saved_run.h"
#include "weights/checkpoint_link.h"
#include "weights/folder_manifest.h"

namespace dfine::inline run {

namespace fs = std::filesystem;

namespace {

void copy_checkpoint(const fs::path& from, const fs::path& to, const RunState* without_manifest) {
  AtomicFolder copy(to);
  for (const auto& entry : fs::directory_iterator(from))
    link_or_copy(entry.path(), copy.path() / entry.path().filename());
  if (without_manifest != nullptr && !fs::exists(copy.path() / kManifestFile))
    write_folder_manifest(copy.path(), run_state_json(*without_manifest));
  copy.commit_new();
}

/// A folder best or best_stage1 of version 0.1, if it is of that step. Of one that is damaged, a
/// warning says why it stays behind.
void import_old(const fs::path& from, int64_t step, const CheckpointStore& to, const char* link) {
  try {
    RunState state = load_checkpoint(from).run;
    if (state.step != step) return;
    adopt_old_state(state);
    const CheckpointName name{.step = step, .kind = CheckpointKind::kValidated};
    if (!fs::exists(to.path(name))) copy_checkpoint(from, to.path(name), &state);
    to.link(link, name);
  } catch (const Error& e) {
    log::warn(str_cat("this run continues without ", link, " of the other one: ", e.what()));
  }
}

}  // namespace

void import_checkpoint(const fs::path& from, const RunState& state, const CheckpointStore& to) {
  const CheckpointName current =
      CheckpointName::parse(from.filename().string()).value_or(CheckpointName{.step = state.step});
  copy_checkpoint(from, to.path(current), &state);
  const CheckpointStore beside(from.parent_path());
  const auto bring = [&](const char* link, int64_t step) {
    const auto theirs = beside.of_step(step);
    if (step == state.step) {
      to.link(link, current);
    } else if (theirs) {
      if (!fs::exists(to.path(*theirs)))
        copy_checkpoint(beside.path(*theirs), to.path(*theirs), nullptr);
      to.link(link, *theirs);
    } else if (fs::is_directory(fs::symlink_status(beside.link_path(link)))) {
      import_old(beside.link_path(link), step, to, link);
    }
  };
  if (state.best) bring("best", state.best->step);
  if (state.best_stage1) bring("best_stage1", *state.best_stage1);
}

}  // namespace dfine::inline run
