#include "distributed/cuda_settings.h"

#include <dlfcn.h>

#include <ATen/Context.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstdlib>

#include "distributed/gpu.h"

namespace dfine::inline distributed {
namespace {

/// Whether the first GPU maps memory apart from addresses; some virtual GPUs do not. Asks the
/// driver by name, since builds without CUDA have no header of it.
bool has_virtual_memory() {
  constexpr int kSupportsIt = 102;  // CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return false;
  const auto start = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto ask = reinterpret_cast<int (*)(int*, int, int)>(dlsym(driver, "cuDeviceGetAttribute"));
  int value = 0;
  return start != nullptr && ask != nullptr && start(0) == 0 &&
         ask(&value, kSupportsIt, /*device=*/0) == 0 && value != 0;
}

}  // namespace

void set_tf32(Tf32 tf32) {
  at::globalContext().setAllowTF32CuDNN(tf32.convolutions);
  at::globalContext().setAllowTF32CuBLAS(tf32.products);
}

void use_expandable_segments() {
  if (!built_with_cuda()) return;
  for (const char* variable : {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"})
    if (std::getenv(variable) != nullptr) return;
  // LibTorch calls NVML for each segment without a check. Some containers have CUDA without it.
  if (dlopen("libnvidia-ml.so.1", RTLD_LAZY) == nullptr) return;
  if (!has_virtual_memory()) return;
  c10::CachingAllocator::setAllocatorSettings("expandable_segments:True");
}

void require_fitting_driver() {
  check_cuda_versions();
}

void release_unused_memory(at::Device device) {
  if (!device.is_cpu()) at::getDeviceAllocator(device.type())->emptyCache();
}

}  // namespace dfine::inline distributed
