#include "distributed/devices.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

const char* name_of(DeviceRequest request) {
  return request == DeviceRequest::kAuto ? "auto" : request == DeviceRequest::kCpu ? "cpu" : "cuda";
}

// The GPU index of each of a host's ranks, given in the order of local ranks.
std::vector<int> assign_gpus(const std::string& host,
                             const std::vector<const DeviceOffer*>& ranks) {
  const auto distinct = [&](auto&& index_of) {
    std::set<std::string> taken;
    for (size_t local = 0; local < ranks.size(); ++local) {
      const auto& gpus = ranks[local]->gpus.uuids;
      if (index_of(local) >= gpus.size() || !taken.insert(gpus[index_of(local)]).second)
        return false;
    }
    return true;
  };
  std::vector<int> indices(ranks.size(), 0);
  if (distinct([](size_t local) { return local; })) {
    for (size_t local = 0; local < ranks.size(); ++local) indices[local] = static_cast<int>(local);
    return indices;
  }
  if (distinct([](size_t) { return size_t{0}; })) return indices;
  std::set<std::string> all;
  for (const auto* rank : ranks) all.insert(rank->gpus.uuids.begin(), rank->gpus.uuids.end());
  throw Error(
      kDeviceUnavailable,
      str_cat("Host ", host, " runs ", counted(static_cast<long long>(ranks.size()), "rank"),
              ", but they see ", counted(static_cast<long long>(all.size()), "GPU"),
              " between them; every rank needs its own."),
      str_cat("Start at most as many ranks on each host as it has GPUs (mpirun -np N --map-by ppr:",
              std::max<size_t>(all.size(), 1),
              ":node). Or train on the CPU with --set run.device=cpu."));
}

// Throws if two of a host's ranks have slices of one GPU. `indices`: as assign_gpus gave them.
void require_whole_gpus(const std::string& host, const std::vector<const DeviceOffer*>& ranks,
                        const std::vector<int>& indices) {
  std::map<std::string, size_t> rank_on;
  for (size_t local = 0; local < ranks.size(); ++local) {
    const std::string& pci = ranks[local]->gpus.pci.at(static_cast<size_t>(indices[local]));
    const auto [first, added] = rank_on.emplace(pci, local);
    // Two machines may have one name: then both have a local rank 0.
    if (added || ranks[first->second]->local_rank == ranks[local]->local_rank) continue;
    throw Error(kDeviceUnavailable,
                str_cat("On host ", host, ", local ranks ", first->second, " and ", local,
                        " have MIG slices of the same GPU (PCI address ", pci,
                        "); NCCL cannot connect slices of one GPU."),
                "Start one rank on one slice (without mpirun), or have MIG turned off (nvidia-smi "
                "-mig 0) and give each rank a whole GPU.");
  }
}

}  // namespace

std::vector<at::Device> assign_devices(const std::vector<DeviceOffer>& offers) {
  std::map<std::string, std::vector<size_t>> ranks_of_host;
  std::string with, without;  // a host with GPUs, and one without any
  for (size_t rank = 0; rank < offers.size(); ++rank) {
    if (offers[rank].request != offers[0].request) {
      throw Error(
          kRanksDisagree,
          str_cat("The ranks ask for different devices: rank 0 for ", name_of(offers[0].request),
                  ", rank ", rank, " for ", name_of(offers[rank].request), "."),
          "run.device must be the same on all ranks.");
    }
    ranks_of_host[offers[rank].host].push_back(rank);
    (offers[rank].gpus.uuids.empty() ? without : with) = offers[rank].host;
  }
  std::vector<at::Device> devices(offers.size(), at::kCPU);
  const DeviceRequest request = offers[0].request;
  if (request == DeviceRequest::kCpu || (request == DeviceRequest::kAuto && with.empty()))
    return devices;
  if (!without.empty()) {
    throw Error(kDeviceUnavailable,
                str_cat("No GPU is visible on host ", without,
                        with.empty() ? "" : str_cat(", while host ", with, " has some"), "."),
                "Check nvidia-smi and CUDA_VISIBLE_DEVICES there, or train on the CPU with --set "
                "run.device=cpu.");
  }
  for (auto& [host, ranks] : ranks_of_host) {
    std::sort(ranks.begin(), ranks.end(),
              [&](size_t a, size_t b) { return offers[a].local_rank < offers[b].local_rank; });
    std::vector<const DeviceOffer*> local;
    for (const size_t rank : ranks) local.push_back(&offers[rank]);
    const auto indices = assign_gpus(host, local);
    require_whole_gpus(host, local, indices);
    for (size_t i = 0; i < ranks.size(); ++i)
      devices[ranks[i]] = at::Device(at::kCUDA, static_cast<at::DeviceIndex>(indices[i]));
  }
  return devices;
}

}  // namespace dfine::inline distributed
