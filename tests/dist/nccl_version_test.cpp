#include "dist/nccl_version.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace dfine {
namespace {

std::string complaint(const NcclVersions& versions) {
  try {
    require_fitting(versions);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(NcclVersion, TorchsNumberInTheHeadersForm) {
  // What torch::cuda::nccl::version() of torch 2.15.0's wheel returns; nvidia-nccl-cu13 2.30.7's
  // nccl.h says NCCL_VERSION_CODE 23007.
  EXPECT_EQ(nccl_code(0x2001e0007), 23007);
}

TEST(NcclVersion, TheSameRelease) {
  EXPECT_EQ(complaint({.header = 23007, .libtorch = 23007, .loaded = 23007}), "");
  EXPECT_EQ(complaint({.header = 23003, .libtorch = 23007, .loaded = 23007}), "");
  EXPECT_EQ(complaint({.header = 23007, .libtorch = 23007, .loaded = 23003}), "");
  EXPECT_EQ(complaint({.header = 23007, .libtorch = 23007, .loaded = 23102}), "");
}

TEST(NcclVersion, HeaderOfAnotherReleaseThanLibTorchs) {
  const std::string text = complaint({.header = 22809, .libtorch = 23007, .loaded = 23007});
  EXPECT_NE(text.find("2.30.7"), text.npos) << text;
  EXPECT_NE(text.find("2.28.9"), text.npos) << text;
  EXPECT_NE(complaint({.header = 23007, .libtorch = 22907, .loaded = 23007}), "");
}

TEST(NcclVersion, AnOlderLibraryIsLoaded) {
  const std::string text = complaint({.header = 23007,
                                      .libtorch = 23007,
                                      .loaded = 22809,
                                      .loaded_path = "/usr/lib/libnccl.so.2"});
  EXPECT_NE(text.find("/usr/lib/libnccl.so.2 is of version 2.28.9"), text.npos) << text;
  EXPECT_NE(text.find("2.30.7"), text.npos) << text;
  EXPECT_NE(complaint({.header = 23007, .libtorch = 23007, .loaded = 30000}), "");
}

}  // namespace
}  // namespace dfine
