#pragma once
// Whether NCCL's header, the NCCL that LibTorch was built with and the loaded library fit together.
// Internal to distributed.
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

/// torch::cuda::nccl::version(), three numbers in one, in nccl.h's form.
int nccl_code(uint64_t torch_version);

/// Throws Error when LibTorch was built with another release (major.minor) than the header. The
/// layout of ncclConfig_t, and with it of ProcessGroupNCCL::Options, differs between releases. Also
/// throws when the loaded library is of an older release or of another major version.
void require_fitting(const NcclVersions& versions);

}  // namespace dfine::inline distributed
