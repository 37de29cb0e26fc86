#include "train/plan/compute_setup.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/anomaly_mode.h>

#include <optional>
#include <thread>
#include <vector>

#include "config/keys.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/consistency_check.h"
#include "distributed/cuda_settings.h"

namespace dfine::inline plan {
namespace {

DeviceRequest device_request(std::optional<DeviceChoice> choice) {
  if (!choice) return DeviceRequest::kAuto;
  return *choice == DeviceChoice::kCpu ? DeviceRequest::kCpu : DeviceRequest::kCuda;
}

}  // namespace

Communicator join_ranks(const Config& config, MpiSession& session) {
  use_expandable_segments();
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
  // cuDNN's search for the fastest algorithm waits for the device dozens of times per new size.
  at::globalContext().setBenchmarkCuDNN(!config.run.deterministic && !config.data.multiscale);
  const Tf32Use tf32 = config.run.tf32;
  set_tf32({.convolutions = tf32 != Tf32Use::kOff, .products = tf32 == Tf32Use::kAll});
  torch::autograd::AnomalyMode::set_enabled(config.run.detect_anomaly);
  return group;
}

}  // namespace dfine::inline plan
