#include "distributed/library_versions.h"

#include <gtest/gtest.h>

#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

Caught complaint(int header, int libtorch, int loaded, const std::string& path = "") {
  return catch_error([&] { require_fitting(NcclVersions{header, libtorch, loaded, path}); });
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

Caught complaint_of_cuda(int header, int loaded, int driver) {
  return catch_error([&] { require_fitting(CudaVersions{header, loaded, driver}); });
}

TEST(CudaVersion, FitsWithinAMajorVersion) {
  EXPECT_FALSE(complaint_of_cuda(13000, 13020, 13000).code);  // an older driver of CUDA 13
  EXPECT_FALSE(complaint_of_cuda(13020, 13000, 13020).code);
  EXPECT_FALSE(complaint_of_cuda(13020, 13020, 14000).code);
  EXPECT_FALSE(complaint_of_cuda(13020, 13020, 0).code);  // no driver
}

TEST(CudaVersion, AnotherMajorVersion) {
  EXPECT_TRUE(complaint_of_cuda(13020, 12080, 13020).is(kVersionMismatch, "12.8", "CUDA 13"));
  EXPECT_TRUE(complaint_of_cuda(13020, 13020, 12040).is(kVersionMismatch, "12.4", "13.2"));
}

TEST(LibraryVersions, Text) {
  EXPECT_EQ(describe(CudaVersions{13020, 13020, 13000}), "CUDA 13.2 (driver: 13.0)");
  EXPECT_EQ(describe(NcclVersions{23007, 23007, 23007, ""}), "NCCL 2.30.7");
}

}  // namespace
}  // namespace dfine
