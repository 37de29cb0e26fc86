#pragma once
// All of distributed that needs CUDA or NCCL headers; builds without DFINE_CUDA have no GPUs.
// Internal to distributed.
#include <string>

#include <c10/core/Device.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "distributed/devices.h"

namespace dfine::inline distributed {

constexpr bool built_with_cuda() {
#ifdef DFINE_CUDA
  return true;
#else
  return false;
#endif
}

/// Throws Error when CUDA's runtime and the driver do not fit together (library_versions.h).
/// Nothing without CUDA.
void check_cuda_versions();

/// The GPUs this process may use, after check_cuda_versions(): with an old driver there would seem
/// to be none.
VisibleGpus visible_gpus();

/// The versions of CUDA, of what the driver supports, and of NCCL; empty without CUDA.
std::string gpu_libraries();

/// Makes `device` the one that the calling thread's CUDA operations use. Nothing for the CPU.
void use_device(at::Device device);

/// Collective: a process group over NCCL, one rank per GPU; the ranks find each other through
/// `store`, under `name`. Throws Error when the NCCL versions do not fit together
/// (library_versions.h).
c10::intrusive_ptr<c10d::ProcessGroup> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                       const std::string& name, int rank, int size,
                                                       at::Device device);

}  // namespace dfine::inline distributed
