#include "distributed/library_versions.h"

#include <gtest/gtest.h>

#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

Caught complaint(int header, int libtorch, int loaded, const std::string& path = "") {
  return catch_error([&] { require_fitting({header, libtorch, loaded, path}); });
}

TEST(NcclVersion, TorchsNumberInTheHeadersForm) {
  // What torch::cuda::nccl::version() of torch 2.15.0's wheel returns; nvidia-nccl-cu13 2.30.7's
  // nccl.h says NCCL_VERSION_CODE 23007.
  EXPECT_EQ(nccl_code(0x2001e0007), 23007);
}

TEST(NcclVersion, TheSameRelease) {
  EXPECT_FALSE(complaint(23007, 23007, 23007).code);
  EXPECT_FALSE(complaint(23003, 23007, 23007).code);
  EXPECT_FALSE(complaint(23007, 23007, 23003).code);
  EXPECT_FALSE(complaint(23007, 23007, 23102).code);
}

TEST(NcclVersion, HeaderOfAnotherReleaseThanLibTorchs) {
  EXPECT_TRUE(complaint(22809, 23007, 23007).is(kVersionMismatch, "2.30.7", "2.28.9"));
  EXPECT_TRUE(complaint(23007, 22907, 23007).is(kVersionMismatch));
}

TEST(NcclVersion, AnOlderLibraryIsLoaded) {
  EXPECT_TRUE(complaint(23007, 23007, 22809, "/usr/lib/libnccl.so.2")
                  .is(kVersionMismatch, "/usr/lib/libnccl.so.2", "2.28.9", "2.30.7"));
  EXPECT_TRUE(complaint(23007, 23007, 30000).is(kVersionMismatch));
}

}  // namespace
}  // namespace dfine
