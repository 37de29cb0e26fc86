#include "distributed/library_versions.h"

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

int release_of(int code) {
  return code / 100;
}

std::string text_of(int code) {
  return str_cat(code / 10000, ".", code / 100 % 100, ".", code % 100);
}

}  // namespace

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
