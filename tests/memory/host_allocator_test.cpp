#include "memory/host_allocator.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

namespace dfine {
namespace {

class HostAllocator : public testing::Test {
 protected:
  // Made before: LibTorch's own allocator must free it.
  static inline at::Tensor before = at::ones({1 << 20});
  static void SetUpTestSuite() { use_host_arena(); }
};

TEST_F(HostAllocator, TensorsOfAllSizesComeAndGo) {
  before = at::Tensor();
  for (const int64_t size : {0, 1, 1000, 16'383, 16'384, 1'000'000, 20'000'000}) {
    at::Tensor x = at::full({size}, 2.0f);
    EXPECT_EQ(x.sum(at::kDouble).item<double>(), 2.0 * static_cast<double>(size));
    x.resize_({size + 100'000});
    EXPECT_EQ(x.narrow(0, 0, size).sum(at::kDouble).item<double>(),
              2.0 * static_cast<double>(size));
  }
}

TEST_F(HostAllocator, FreedMemoryIsUsedAgain) {
  const void* const first = at::empty({5'000'000}).const_data_ptr();
  EXPECT_EQ(at::empty({5'000'000}).const_data_ptr(), first);
}

TEST_F(HostAllocator, ConvolutionsThatTakeRawMemory) {
  // oneDNN copies weights into its own layout and frees the copy by pointer alone.
  const at::Tensor x = at::ones({1, 64, 64, 64}), weight = at::ones({64, 64, 3, 3});
  const at::Tensor y = at::conv2d(x, weight, {}, 1, 1);
  EXPECT_EQ(y[0][0][32][32].item<float>(), 64 * 9);
}

TEST_F(HostAllocator, TensorsEndInOtherThreads) {
  at::Tensor x = at::ones({1'000'000});
  std::thread([y = std::move(x)] { EXPECT_EQ(y[999'999].item<float>(), 1); }).join();
}

TEST_F(HostAllocator, TooMuchIsAnError) {
  EXPECT_THROW(at::empty({int64_t{1} << 58}), c10::Error);
}

}  // namespace
}  // namespace dfine
