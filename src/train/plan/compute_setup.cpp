#include "train/plan/compute_setup.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/anomaly_mode.h>

#include <thread>
#include <vector>

#include "config/keys.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/consistency_check.h"

namespace dfine::inline plan {
namespace {

DeviceRequest device_request(DeviceChoice choice) {
  switch (choice) {
    case DeviceChoice::kCpu:
      return DeviceRequest::kCpu;
    case DeviceChoice::kCuda:
      return DeviceRequest::kCuda;
    case DeviceChoice::kAuto:
      break;
  }
  return DeviceRequest::kAuto;
}

}  // namespace

Communicator join_ranks(const Config& config, MpiSession& session) {
  const Communicator group = session.make_communicator(device_request(config.run.device));
  log::info(str_cat(counted(session.size(), "rank"), ":\n", session.rank_table()));
  std::vector<NamedValue> settings;
  for (const ConfigKey& key : config_keys())
    settings.push_back({key.name, to_toml(key.get(config))});
  check_agreement(group, settings);
  if (config.run.deterministic && group.device().is_cuda()) {
    throw Error(
        ErrorCode::kConflictingSettings,
        "run.deterministic is set, but on GPUs the gradient of grid_sample, which deformable "
        "attention needs, has no deterministic form",
        "unset it, or train on the CPU: --set run.device=cpu");
  }
  at::set_num_threads(compute_threads(config, static_cast<int>(std::thread::hardware_concurrency()),
                                      session.local_size()));
  at::globalContext().setDeterministicAlgorithms(config.run.deterministic, /*warn_only=*/false);
  at::globalContext().setBenchmarkCuDNN(!config.run.deterministic);
  torch::autograd::AnomalyMode::set_enabled(config.run.detect_anomaly);
  return group;
}

}  // namespace dfine::inline plan
