#include "distributed/nccl_version.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace dfine {
namespace {

std::string complaint(int header, int libtorch, int loaded, const std::string& path = "") {
  try {
    require_fitting({header, libtorch, loaded, path});
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
  EXPECT_EQ(complaint(23007, 23007, 23007), "");
  EXPECT_EQ(complaint(23003, 23007, 23007), "");
  EXPECT_EQ(complaint(23007, 23007, 23003), "");
  EXPECT_EQ(complaint(23007, 23007, 23102), "");
}

TEST(NcclVersion, HeaderOfAnotherReleaseThanLibTorchs) {
  const std::string text = complaint(22809, 23007, 23007);
  EXPECT_NE(text.find("2.30.7"), text.npos) << text;
  EXPECT_NE(text.find("2.28.9"), text.npos) << text;
  EXPECT_NE(complaint(23007, 22907, 23007), "");
}

TEST(NcclVersion, AnOlderLibraryIsLoaded) {
  const std::string text = complaint(23007, 23007, 22809, "/usr/lib/libnccl.so.2");
  EXPECT_NE(text.find("/usr/lib/libnccl.so.2 is of version 2.28.9"), text.npos) << text;
  EXPECT_NE(text.find("2.30.7"), text.npos) << text;
  EXPECT_NE(complaint(23007, 23007, 30000), "");
}

}  // namespace
}  // namespace dfine
