#pragma once
// What a run works with before it has a model: the ranks, the data and the plan. Training, the
// learning-rate finder and tests are functions over one.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/shards/dataset.h"
#include "distributed/communicator.h"
#include "files/folder_lock.h"
#include "train/checks/dataset_stats.h"
#include "train/plan/run_plan.h"
#include "train/run/run_folder.h"
#include "train/run/run_start.h"

namespace dfine::inline run {

struct RunContext {
  Communicator group;  // all ranks, on their devices
  RunFolder folder;
  std::shared_ptr<FolderLock> lock;       // of the run folder; rank zero's alone
  PackedDataset train_data;               // with the labels of the checkpoint's classes
  std::optional<PackedDataset> val_data;  // with the labels of train_data; unset without validation
  std::vector<Category> packed_classes;   // of the training pack, in its own order
  DatasetStats train_stats;               // of the images that take part
  std::optional<DatasetStats> val_stats;
  RunPlan plan;
  std::vector<std::string> warnings;            // see config_warnings()
  std::chrono::steady_clock::time_point begin;  // of the program
  double minutes_before = 0;                    // that earlier attempts of this run took
};

/// Collective: every rank calls it with the same configuration. Opens the data and resolves the
/// plan; writes nothing. `start`: of a run that may continue; null for tools, which do not. Throws
/// Error if configuration, data, weights and ranks do not fit together, or the ranks see different
/// data.
RunContext prepare(const Config& config, const Communicator& group,
                   const RunStart* start = nullptr);

}  // namespace dfine::inline run
