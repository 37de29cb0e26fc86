#pragma once
// What a training run begins with: the lock of its folder, and the checkpoint to continue from.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "classes/class_match.h"
#include "config/config.h"
#include "distributed/communicator.h"
#include "files/folder_lock.h"
#include "train/checkpoint/checkpoint.h"
#include "train/run/run_folder.h"

namespace dfine::inline run {

struct RunStart {
  std::chrono::steady_clock::time_point begin;  // of the program
  RunFolder folder;
  std::shared_ptr<FolderLock> lock = {};      // rank zero's; null on the others
  std::optional<Checkpoint> checkpoint = {};  // rank zero's; unset on the others and in a new run
  std::filesystem::path from = {};            // its folder, on all ranks; empty: the run is new
  bool elsewhere = false;                     // it lies outside the run folder
  // Of the checkpoint's model, on all ranks:
  std::optional<int64_t> num_queries = {};
  ClassList classes = {};

  bool resumed() const { return !from.empty(); }
};

/// Collective. Rank zero takes the run folder's lock, removes what killed programs left, and reads
/// the checkpoint that run.resume means. "auto": the newest whose files are all undamaged; a
/// warning names those that are not. "none": none. Else that path.
///
/// Throws Error where another job holds the folder, or the path is no undamaged checkpoint. Also
/// throws when "auto" finds that a run has saved here, but no checkpoint is left.
RunStart start_run(const Config& config, const Communicator& group);

}  // namespace dfine::inline run
