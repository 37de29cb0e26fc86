#include "distributed/devices.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace dfine {
namespace {

DeviceOffer offer(const std::string& host, int local_rank, std::vector<std::string> gpus,
                  DeviceRequest request = DeviceRequest::kAuto) {
  return {host, local_rank, request, std::move(gpus)};
}

at::Device gpu(int index) {
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

std::string error_of(const std::vector<DeviceOffer>& offers) {
  try {
    assign_devices(offers);
  } catch (const Error& e) {
    return e.message();
  }
  return "";
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
  EXPECT_EQ(error_of({offer("n7", 0, {"g0", "g1"}), offer("n7", 1, {"g0", "g1"}),
                      offer("n7", 2, {"g0", "g1"})}),
            "Host n7 runs 3 ranks, but they see 2 GPUs between them; every rank needs its own.");
  EXPECT_EQ(error_of({offer("n7", 0, {"g0"}), offer("n7", 1, {"g0"})}),
            "Host n7 runs 2 ranks, but they see 1 GPU between them; every rank needs its own.");
}

TEST(Devices, OnlySomeHostsHaveGpus) {
  EXPECT_EQ(error_of({offer("a", 0, {"g0"}), offer("b", 0, {})}),
            "No GPU is visible on host b, while host a has some.");
}

TEST(Devices, CudaNeedsAGpu) {
  EXPECT_EQ(error_of({offer("a", 0, {}, DeviceRequest::kCuda)}), "No GPU is visible on host a.");
}

TEST(Devices, RequestsMustAgree) {
  EXPECT_EQ(error_of({offer("a", 0, {}, DeviceRequest::kCpu), offer("a", 1, {})}),
            "The ranks ask for different devices: rank 0 for cpu, rank 1 for auto.");
}

}  // namespace
}  // namespace dfine
