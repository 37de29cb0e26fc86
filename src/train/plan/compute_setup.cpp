#include "train/plan/compute_setup.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "config/keys.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/log.h"
#include "core/split.h"
#include "core/text.h"
#include "core/usable_cores.h"
#include "dfine_version.h"
#include "distributed/consistency_check.h"
#include "distributed/cuda_settings.h"
#include "files/file_checksum.h"

namespace dfine::inline plan {
namespace {

DeviceRequest device_request(std::optional<DeviceChoice> choice) {
  if (!choice) return DeviceRequest::kAuto;
  return *choice == DeviceChoice::kCpu ? DeviceRequest::kCpu : DeviceRequest::kCuda;
}

/// Whatever differs between two builds. Ranks of different ones may compute different things.
std::string program_build() {
  const std::string torch = at::show_config();
  const size_t version = torch.find("TORCH_VERSION=");
  return str_cat(DFINE_VERSION, ", checksum ",
                 checksum_text(file_checksum("/proc/self/exe").crc32c), ", LibTorch ",
                 version == std::string::npos
                     ? std::string(TORCH_VERSION)
                     : torch.substr(version + 14, torch.find(',', version) - version - 14));
}

/// Collective.
int threads_of_rank(const RunConfig& run, int64_t workers, const MpiSession& session,
                    const Communicator& group) {
  const UsableCores cores = usable_cores();
  const std::string mine = str_cat(session.host(), " ", cores.binding);
  std::string all;
  for (const std::string& of_rank : group.gather(mine, 0)) all += of_rank + "\n";
  all = group.broadcast(all, 0);
  const auto bindings = split(all, '\n');
  const auto sharing = static_cast<int>(std::ranges::count(bindings, mine));
  const int threads = compute_threads(run, cores.count, sharing);
  if (threads * sharing <= cores.count) group.wait_busily();
  // By default, mpirun binds each rank to a different core.
  const bool bound_alone = std::ranges::any_of(bindings, [&](const auto& other) {
    return other != mine && other.starts_with(session.host() + " ");
  });
  const auto of_host = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  if (threads > cores.count) {
    log::local_warn(str_cat(
        "run.threads = ", threads, ", but this rank may use only ", counted(cores.count, "core"),
        " (",
        cores.by_quota ? "the cgroup's CPU quota" : "CPU affinity, mpirun --bind-to none lifts it",
        "): it will be slower, not faster"));
  } else if (!cores.by_quota && cores.count < of_host && (cores.count == 1 || bound_alone) &&
             cores.count < threads + workers) {
    log::local_warn(str_cat("this rank is bound to ", counted(cores.count, "core"), " of ", of_host,
                            ", too few for ", counted(threads, "computing thread"), " and ",
                            counted(workers, "loader worker"),
                            ": pass --bind-to none to mpirun, or more --cpus-per-task to Slurm"));
  }
  return threads;
}

}  // namespace

Communicator join_ranks(const Config& config, MpiSession& session) {
  use_expandable_segments();
  const Communicator group = session.make_communicator(device_request(config.run.device));
  log::info(session.describe_ranks());
  log::detail(str_cat(counted(session.size(), "rank"), ":\n", session.rank_table()));
  std::vector<NamedValue> settings;
  settings.push_back({"the program's build", program_build()});
  for (const ConfigKey& key : config_keys())
    settings.push_back({key.name, to_toml(key.get(config))});
  check_agreement(group, settings);
  if (config.run.deterministic && group.device().is_cuda()) {
    throw Error(
        ErrorCode::kConflictingSettings,
        "run.deterministic is set, but on GPUs the gradient of deformable attention is summed in "
        "an order that changes from run to run",
        "unset it, or train on the CPU: --set run.device=cpu");
  }
  at::set_num_threads(threads_of_rank(config.run, config.data.workers, session, group));
  at::globalContext().setDeterministicAlgorithms(config.run.deterministic, /*warn_only=*/false);
  // cuDNN's search for the fastest algorithm waits for the device dozens of times per new size.
  at::globalContext().setBenchmarkCuDNN(!config.run.deterministic && !config.data.multiscale);
  const Tf32Use tf32 = config.run.tf32;
  set_tf32({.convolutions = tf32 != Tf32Use::kOff, .products = tf32 == Tf32Use::kAll});
  torch::autograd::AnomalyMode::set_enabled(config.run.detect_anomaly);
  return group;
}

}  // namespace dfine::inline plan
