#include "train/run/run_start.h"

#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "train/checkpoint/checkpoint_store.h"
#include "train/plan/saved_run.h"
#include "train/run/run_checkpoint.h"
#include "weights/checkpoint_link.h"
#include "weights/checkpoints_in.h"
#include "weights/folder_manifest.h"

namespace dfine::inline run {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The run folder, and its lock. Where nothing comes of the run, the folder goes again.
struct HeldFolder {
  HeldFolder(const std::filesystem::path& folder, FolderLockOptions options)
      : made(folder), lock(folder, std::move(options)) {}
  MadeFolders made;
  FolderLock lock;
};

std::shared_ptr<FolderLock> take_lock(const Config& config) {
  FolderLockOptions options{.lock_seconds = config.run.lock_seconds,
                            .slurm_job = environment("SLURM_JOB_ID")};
  options.slurm_restarts =
      static_cast<unsigned>(std::strtoul(environment("SLURM_RESTART_COUNT").c_str(), nullptr, 10));
  options.announce = [](const std::string& message) { log::info(message); };
  options.check = end_if_stop_requested;
  const auto held = std::make_shared<HeldFolder>(config.run.dir, std::move(options));
  return {held, &held->lock};
}

/// A path that --resume was given.
void require_checkpoint(const std::string& resume) {
  const fs::path folder = follow_link_file(resume);
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

void resume_newest(const CheckpointStore& store, RunStart& start) {
  std::string damaged;
  for (const CheckpointName& name : store.list()) {
    try {
      start.checkpoint = load_checkpoint(store.path(name));
      start.from = store.path(name);
      break;
    } catch (const Error& e) {
      log::warn(str_cat("checkpoint ", name.text(),
                        " cannot be used, an earlier one is tried: ", e.what()));
      damaged += (damaged.empty() ? "" : ", ") + name.text();
    }
  }
  if (start.checkpoint || !start.folder.has_saved()) return;
  throw Error(kCheckpointMismatch,
              str_cat("--resume auto: a run has saved checkpoints in ", store.folder().string(),
                      ", but none can be continued from",
                      damaged.empty() ? "" : str_cat(" (damaged: ", damaged, ")")),
              "restore one from a backup, or start from scratch with --resume none: what is there "
              "is then moved to RUN_DIR/previous-N");
}

/// A folder of version 0.1 in another run folder, where it stays as it is.
void adopt_old(const fs::path& folder, RunState& state) {
  adopt_old_state(state);
  const fs::path stage1 = folder.parent_path() / "best_stage1";
  if (fs::exists(stage1 / "state.pth")) state.best_stage1 = load_checkpoint(stage1).run.step;
}

void resume_path(const std::string& path, const CheckpointStore& store, RunStart& start) {
  std::error_code failed;
  start.from = fs::canonical(follow_link_file(path), failed);
  if (failed) start.from = path;
  const ErrorContext at("while continuing from ", path);
  start.checkpoint = load_checkpoint(start.from);
  if (!fs::exists(start.from / kManifestFile)) adopt_old(start.from, start.checkpoint->run);
  start.elsewhere = start.from.parent_path() != fs::weakly_canonical(store.folder(), failed);
}

/// Rank zero's part.
void open_folder(const Config& config, RunStart& start) {
  start.folder.require_usable(checkpoint_bytes(config.model.size));
  const std::string& resume = config.run.resume;
  if (resume != "none" && resume != "auto") require_checkpoint(resume);
  start.lock = take_lock(config);
  const CheckpointStore store(start.folder.checkpoints());
  remove_leftovers_in(start.folder.dir());
  remove_leftovers_in(store.folder());
  // Submitted twice: the second one must not move the first one's run away and train it again.
  if (resume == "none" && start.lock->waited_for_living() && start.folder.has_saved())
    throw Error(kRunFolderBusy,
                str_cat(config.run.dir,
                        " was in use by another process until now, and --resume "
                        "none would move its run away"),
                "if that is wanted, start again; to continue its run, give --resume auto");
  if (resume == "none") return;
  for (const std::string& damaged : store.adopt_old_folders(adopt_old_state))
    log::warn("a checkpoint of version 0.1 was set aside: " + damaged);
  if (resume == "auto") {
    resume_newest(store, start);
  } else {
    resume_path(resume, store, start);
  }
  if (!start.checkpoint) return;
  const ModelDescription& model = start.checkpoint->description;
  start.num_queries = model.spec.num_queries;
  start.classes = class_list(printable(start.from), model);
}

}  // namespace

RunStart start_run(const Config& config, const Communicator& group) {
  RunStart start{.begin = std::chrono::steady_clock::now(), .folder = RunFolder(config.run.dir)};
  if (group.rank() == 0) open_folder(config, start);
  start.from = group.broadcast(start.from.string(), 0);
  start.elsewhere = group.broadcast(start.elsewhere, 0);
  start.num_queries = group.broadcast(start.num_queries, 0);
  start.classes = {.owner = group.broadcast(start.classes.owner, 0),
                   .names = group.broadcast(start.classes.names, 0),
                   .ids = group.broadcast(start.classes.ids, 0)};
  return start;
}

}  // namespace dfine::inline run
