#include "distributed/cuda_settings.h"

#include <dlfcn.h>

#include <ATen/Context.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstdlib>

namespace dfine::inline distributed {

void set_tf32(Tf32 tf32) {
  at::globalContext().setAllowTF32CuDNN(tf32.convolutions);
  at::globalContext().setAllowTF32CuBLAS(tf32.products);
}

void use_expandable_segments() {
  for (const char* variable : {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"})
    if (std::getenv(variable) != nullptr) return;
  // LibTorch calls NVML for each segment without a check. Some containers have CUDA without it.
  if (dlopen("libnvidia-ml.so.1", RTLD_LAZY) == nullptr) return;
  c10::CachingAllocator::setAllocatorSettings("expandable_segments:True");
}

void release_unused_memory(at::Device device) {
  if (!device.is_cpu()) at::getDeviceAllocator(device.type())->emptyCache();
}

}  // namespace dfine::inline distributed
