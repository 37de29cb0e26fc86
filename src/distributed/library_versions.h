#pragma once
// Whether headers, LibTorch, loaded libraries and the GPU's driver fit together. Internal to
// distributed.
#include <cstdint>
#include <string>

namespace dfine::inline distributed {

/// Versions as nccl.h counts them: major * 10000 + minor * 100 + patch.
struct NcclVersions {
  int header = 0;           // compiled into this program
  int libtorch = 0;         // compiled into LibTorch
  int loaded = 0;           // of the library in this process
  std::string loaded_path;  // where that library lies; for the message
};

/// Versions as CUDA counts them: major * 1000 + minor * 10.
struct CudaVersions {
  int header = 0;  // compiled into this program
  int loaded = 0;  // of the runtime library in this process
  int driver = 0;  // the latest that the driver supports; 0: there is no driver
};

/// Throws Error when the loaded runtime is of another major version than the header, or the driver
/// supports only older major versions than the runtime's. Within a major version they fit (NVIDIA,
/// CUDA Compatibility, "Minor Version Compatibility"). Nothing without a driver.
void require_fitting(const CudaVersions& versions);

/// "CUDA 13.2 (driver: 13.0)"
std::string describe(const CudaVersions& versions);

/// torch::cuda::nccl::version(), three numbers in one, in nccl.h's form.
int nccl_code(uint64_t torch_version);

/// Throws Error when LibTorch was built with another release (major.minor) than the header. The
/// layout of ncclConfig_t, and with it of ProcessGroupNCCL::Options, differs between releases. Also
/// throws when the loaded library is of an older release or of another major version.
void require_fitting(const NcclVersions& versions);

/// "NCCL 2.30.7"
std::string describe(const NcclVersions& versions);

}  // namespace dfine::inline distributed
