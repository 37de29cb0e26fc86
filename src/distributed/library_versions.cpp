#include "distributed/library_versions.h"

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

std::string cuda_text(int version) {
  return str_cat(version / 1000, ".", version % 1000 / 10);
}

int release_of(int code) {
  return code / 100;
}

std::string text_of(int code) {
  return str_cat(code / 10000, ".", code / 100 % 100, ".", code % 100);
}

}  // namespace

void require_fitting(const CudaVersions& versions) {
  if (versions.loaded / 1000 != versions.header / 1000) {
    throw Error(kVersionMismatch,
                str_cat("The loaded CUDA runtime is of version ", cuda_text(versions.loaded),
                        ", but this program was built for CUDA ", versions.header / 1000, "."),
                "Remove other CUDA libraries from LD_LIBRARY_PATH and LD_PRELOAD.");
  }
  if (versions.driver > 0 && versions.driver / 1000 < versions.loaded / 1000) {
    throw Error(kVersionMismatch,
                str_cat("The NVIDIA driver supports CUDA up to ", cuda_text(versions.driver),
                        ", but LibTorch uses CUDA ", cuda_text(versions.loaded), "."),
                "Have the driver updated (CUDA 13 needs version 580 or later; nvidia-smi shows "
                "it), or train on the CPU with --set run.device=cpu.");
  }
}

std::string describe(const CudaVersions& versions) {
  return str_cat("CUDA ", cuda_text(versions.loaded), " (driver: ", cuda_text(versions.driver),
                 ")");
}

std::string describe(const NcclVersions& versions) {
  return "NCCL " + text_of(versions.loaded);
}

int nccl_code(uint64_t torch_version) {
  const auto part = [&](int shift) { return static_cast<int>(torch_version >> shift & 0xffff); };
  return part(32) * 10000 + part(16) * 100 + part(0);
}

void require_fitting(const NcclVersions& versions) {
  if (release_of(versions.libtorch) != release_of(versions.header)) {
    throw Error(
        kVersionMismatch,
        str_cat("LibTorch was built with NCCL ", text_of(versions.libtorch),
                ", but this program with the header of NCCL ", text_of(versions.header), "."),
        "Run with the LibTorch that the program was built with, or build again with this "
        "one: launcher/setup.sh --preset cuda");
  }
  const bool older = release_of(versions.loaded) < release_of(versions.header);
  if (older || versions.loaded / 10000 != versions.header / 10000) {
    const std::string path = versions.loaded_path.empty() ? "" : str_cat(" ", versions.loaded_path);
    throw Error(kVersionMismatch,
                str_cat("The loaded NCCL library", path, " is of version ",
                        text_of(versions.loaded), "; LibTorch needs ", text_of(versions.header),
                        " or a later one of the same major version."),
                "Remove that library from LD_LIBRARY_PATH and LD_PRELOAD: the one that LibTorch's "
                "wheel pins is then found.");
  }
}

}  // namespace dfine::inline distributed
