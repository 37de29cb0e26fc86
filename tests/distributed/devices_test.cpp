#include "distributed/devices.h"

#include <gtest/gtest.h>

#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

// Whole GPUs: each has a PCI address of its own.
DeviceOffer offer(const std::string& host, int local_rank, const std::vector<std::string>& gpus,
                  DeviceRequest request = DeviceRequest::kAuto) {
  return {host, local_rank, request, {.uuids = gpus, .pci = gpus}};
}

DeviceOffer slice(const std::string& host, int local_rank, const std::string& uuid,
                  const std::string& pci) {
  return {host, local_rank, DeviceRequest::kAuto, {.uuids = {uuid}, .pci = {pci}}};
}

at::Device gpu(int index) {
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

Caught error_of(const std::vector<DeviceOffer>& offers) {
  return catch_error([&] { assign_devices(offers); });
}

TEST(Devices, LocalRankChoosesTheGpu) {
  const auto devices = assign_devices({offer("a", 0, {"g0", "g1"}), offer("b", 0, {"h0", "h1"}),
                                       offer("a", 1, {"g0", "g1"}), offer("b", 1, {"h0", "h1"})});
  EXPECT_EQ(devices, (std::vector<at::Device>{gpu(0), gpu(0), gpu(1), gpu(1)}));
}

TEST(Devices, EachRankMaySeeItsOwnGpuAlone) {
  EXPECT_EQ(assign_devices({offer("a", 0, {"g0"}), offer("a", 1, {"g1"})}),
            (std::vector<at::Device>{gpu(0), gpu(0)}));
}

TEST(Devices, AutoWithoutGpusIsTheCpu) {
  EXPECT_EQ(assign_devices({offer("a", 0, {}), offer("a", 1, {})}),
            (std::vector<at::Device>{at::kCPU, at::kCPU}));
}

TEST(Devices, CpuIgnoresGpus) {
  EXPECT_EQ(assign_devices({offer("a", 0, {"g0"}, DeviceRequest::kCpu)}),
            (std::vector<at::Device>{at::kCPU}));
}

TEST(Devices, MoreRanksThanGpus) {
  EXPECT_TRUE(error_of({offer("n7", 0, {"g0", "g1"}), offer("n7", 1, {"g0", "g1"}),
                        offer("n7", 2, {"g0", "g1"})})
                  .is(kDeviceUnavailable, "n7", "3 ranks", "2 GPUs"));
  EXPECT_TRUE(error_of({offer("n7", 0, {"g0"}), offer("n7", 1, {"g0"})})
                  .is(kDeviceUnavailable, "n7", "2 ranks", "1 GPU"));
}

TEST(Devices, SlicesOfOneGpuAreRefused) {
  EXPECT_TRUE(
      error_of({slice("n7", 0, "MIG-a", "0000:17:00.0"), slice("n7", 1, "MIG-b", "0000:31:00.0"),
                slice("n7", 2, "MIG-c", "0000:17:00.0")})
          .is(kDeviceUnavailable, "n7", "ranks 0 and 2", "0000:17:00.0"));
  // Two machines of one name.
  EXPECT_FALSE(
      error_of({slice("a", 0, "GPU-a", "0000:17:00.0"), slice("a", 0, "GPU-b", "0000:17:00.0")})
          .code);
  // One slice of each GPU, and the same addresses on another host.
  EXPECT_EQ(assign_devices({slice("a", 0, "MIG-a", "0000:17:00.0"),
                            slice("a", 1, "MIG-b", "0000:31:00.0"),
                            slice("b", 0, "MIG-c", "0000:17:00.0")}),
            (std::vector<at::Device>{gpu(0), gpu(0), gpu(0)}));
}

TEST(Devices, OnlySomeHostsHaveGpus) {
  EXPECT_TRUE(error_of({offer("a", 0, {"g0"}), offer("b", 0, {})})
                  .is(kDeviceUnavailable, "host b", "host a"));
}

TEST(Devices, CudaNeedsAGpu) {
  EXPECT_TRUE(error_of({offer("a", 0, {}, DeviceRequest::kCuda)}).is(kDeviceUnavailable, "host a"));
}

TEST(Devices, RequestsMustAgree) {
  EXPECT_TRUE(error_of({offer("a", 0, {}, DeviceRequest::kCpu), offer("a", 1, {})})
                  .is(kRanksDisagree, "rank 0 for cpu", "rank 1 for auto"));
}

}  // namespace
}  // namespace dfine
