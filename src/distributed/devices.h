#pragma once
// Which rank computes on which device.
#include <string>
#include <vector>

#include <c10/core/Device.h>

namespace dfine::inline distributed {

/// What the user asks for. kAuto: the GPUs where this build and the hosts have them, the CPU when
/// no host has any.
enum class DeviceRequest { kAuto, kCpu, kCuda };

/// The GPUs that a process sees, in the order of their indices.
struct VisibleGpus {
  std::vector<std::string> uuids;  // differ between all GPUs, and between the MIG slices of one
  std::vector<std::string> pci;    // bus addresses: the same for all MIG slices of a GPU
};

/// What one rank asks for and has.
struct DeviceOffer {
  std::string host;
  int local_rank = 0;
  DeviceRequest request = DeviceRequest::kAuto;
  VisibleGpus gpus;
};

/// A device for each rank, one rank per device. It is the GPU of the local rank, or the only GPU
/// where the launcher shows each rank its own. `offers`: one per rank. Throws when requests differ,
/// when a host has more ranks than GPUs, when only some hosts have GPUs, and for kCuda without any.
/// Throws too when two ranks get MIG slices of one GPU, which NCCL cannot connect.
std::vector<at::Device> assign_devices(const std::vector<DeviceOffer>& offers);

}  // namespace dfine::inline distributed
