#pragma once
// What a run works with before it has a model: the ranks, the data and the plan. Training, the
// learning-rate finder and tests are functions over one.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/shards/dataset.h"
#include "distributed/communicator.h"
#include "distributed/mpi_session.h"
#include "train/checks/dataset_stats.h"
#include "train/plan/run_plan.h"
#include "train/run/run_folder.h"

namespace dfine::inline run {

struct RunContext {
  Communicator group;  // all ranks, on their devices
  RunFolder folder;
  std::filesystem::path checkpoint;       // to continue from; empty: the run is new
  PackedDataset train_data;               // with the labels of the checkpoint's classes
  std::optional<PackedDataset> val_data;  // with the labels of train_data; unset without validation
  DatasetStats train_stats;               // of the images that take part
  std::optional<DatasetStats> val_stats;
  RunPlan plan;
  std::vector<std::string> warnings;            // see config_warnings()
  std::chrono::steady_clock::time_point begin;  // of prepare()
};

/// Collective: every rank calls it with the same configuration. Joins the ranks, opens the data and
/// resolves the plan; writes nothing. Throws Error if configuration, data, weights and ranks do not
/// fit together.
RunContext prepare(const Config& config, MpiSession& session);

}  // namespace dfine::inline run
