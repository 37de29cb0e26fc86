#include "distributed/gpu.h"

#include "core/error.h"
#include "core/text.h"

#ifdef DFINE_CUDA
#include <dlfcn.h>

#include <cstdlib>

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "distributed/library_versions.h"
#endif

namespace dfine::inline distributed {

#ifdef DFINE_CUDA

// Options::create() below allocates what LibTorch's constructor fills: an nccl.h of another
// release, whose ncclConfig_t is smaller, would leave it too little memory. cmake/TorchCuda.cmake
// names the version that LibTorch was built with.
static_assert(NCCL_VERSION_CODE == DFINE_NCCL_VERSION_CODE,
              "nccl.h is not of the version that LibTorch was built with");

namespace {

/// C10_CUDA_CHECK counts the devices first, which fails where the driver is too old.
void check_without_devices(cudaError_t error) {
  if (error != cudaSuccess)
    throw Error(ErrorCode::kDeviceUnavailable, str_cat("CUDA: ", cudaGetErrorString(error)));
}

CudaVersions cuda_versions() {
  CudaVersions versions{.header = CUDART_VERSION};
  check_without_devices(cudaRuntimeGetVersion(&versions.loaded));
  check_without_devices(cudaDriverGetVersion(&versions.driver));
  return versions;
}

NcclVersions nccl_versions() {
  Dl_info where{};
  void* function = dlsym(RTLD_DEFAULT, "ncclGetVersion");
  const bool found =
      function != nullptr && dladdr(function, &where) != 0 && where.dli_fname != nullptr;
  return {.header = NCCL_VERSION_CODE,
          .libtorch = nccl_code(torch::cuda::nccl::version()),
          .loaded = c10d::getNcclVersionNumber(),
          .loaded_path = found ? where.dli_fname : ""};
}

}  // namespace

void check_cuda_versions() {
  require_fitting(cuda_versions());
}

VisibleGpus visible_gpus() {
  check_cuda_versions();
  constexpr char kDigits[] = "0123456789abcdef";
  VisibleGpus gpus;
  for (int index = 0; index < c10::cuda::device_count(); ++index) {
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
    std::string uuid;
    for (const char byte : properties.uuid.bytes) {
      uuid += kDigits[static_cast<unsigned char>(byte) >> 4];
      uuid += kDigits[static_cast<unsigned char>(byte) & 15];
    }
    gpus.uuids.push_back(uuid);
    char pci[32] = {};
    C10_CUDA_CHECK(cudaDeviceGetPCIBusId(pci, sizeof(pci), index));
    gpus.pci.emplace_back(pci);
  }
  return gpus;
}

std::string gpu_libraries() {
  return str_cat(describe(cuda_versions()), ", ", describe(nccl_versions()));
}

void use_device(at::Device device) {
  if (device.is_cuda()) c10::cuda::set_device(device.index());
}

c10::intrusive_ptr<c10d::ProcessGroup> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                       const std::string& name, int rank, int size,
                                                       at::Device device) {
  require_fitting(nccl_versions());
  // When NCCL reports an error, LibTorch ends the process, but first it waits a minute for records
  // that nobody here asks for. What the user has set stands.
  setenv("TORCH_NCCL_WAIT_TIMEOUT_DUMP_MILSEC", "500", /*overwrite=*/0);
  const c10::intrusive_ptr<c10d::Store> prefixed =
      c10::make_intrusive<c10d::PrefixStore>(name, store);
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

void check_cuda_versions() {}

VisibleGpus visible_gpus() {
  return {};
}

std::string gpu_libraries() {
  return "";
}

void use_device(at::Device) {}

c10::intrusive_ptr<c10d::ProcessGroup> make_nccl_group(const c10::intrusive_ptr<c10d::Store>&,
                                                       const std::string&, int, int,
                                                       at::Device device) {
  throw Error(ErrorCode::kDeviceUnavailable,
              str_cat("This build has no CUDA: a group on ", device, " is not possible."),
              "Build with cmake --preset cuda.");
}

#endif

}  // namespace dfine::inline distributed
