#include "dist/gpu.h"

#include "core/error.h"
#include "core/text.h"

#ifdef DFINE_CUDA
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace dfine {

#ifdef DFINE_CUDA

std::vector<std::string> visible_gpus() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::vector<std::string> gpus;
  for (int index = 0; index < c10::cuda::device_count(); ++index) {
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
    std::string uuid;
    for (const char byte : properties.uuid.bytes) {
      uuid += kDigits[static_cast<unsigned char>(byte) >> 4];
      uuid += kDigits[static_cast<unsigned char>(byte) & 15];
    }
    gpus.push_back(uuid);
  }
  return gpus;
}

void use_device(at::Device device) {
  if (device.is_cuda()) c10::cuda::set_device(device.index());
}

c10::intrusive_ptr<c10d::ProcessGroup> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store, const std::string& name, int rank,
                                                       int size, at::Device device) {
  const c10::intrusive_ptr<c10d::Store> prefixed = c10::make_intrusive<c10d::PrefixStore>(name, store);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->group_name = name;
  options->config.blocking = 1;  // connecting below returns when it is done, or throws
  for (int r = 0; r < size; ++r) options->global_ranks_in_group.push_back(static_cast<uint64_t>(r));
  auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixed, rank, size, options);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(prefixed, rank, size);
  group->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, backend);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
  group->setGroupName(name);
  group->setGroupDesc(name);
  // Connects now: a network that does not work shows at the start, not in the first step.
  backend->setBoundDeviceId(device);
  backend->eagerConnectSingleDevice(device);
  return group;
}

#else

std::vector<std::string> visible_gpus() {
  return {};
}

void use_device(at::Device) {}

c10::intrusive_ptr<c10d::ProcessGroup> make_nccl_group(const c10::intrusive_ptr<c10d::Store>&, const std::string&, int, int,
                                                       at::Device device) {
  throw Error(cat("This build has no CUDA: a group on ", device, " is not possible."), "Build with cmake --preset cuda.");
}

#endif

}  // namespace dfine
