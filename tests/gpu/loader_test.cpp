// Batches on their way to a GPU. Not yet executed on any: written and compiled on machines without.
#include <ATen/ATen.h>

#include "data/shards/dataset.h"
#include "gpu_main.h"
#include "input/device_prefetcher.h"
#include "input/shipped_pack.h"

namespace dfine {
namespace {

using GpuLoader = test::Gpu;

LoaderOptions options(bool pin_memory) {
  return {.sample = {.size = {320, 320}, .augment = AugmentConfig(), .seed = 5},
          .workers = 3,
          .pin_memory = pin_memory};
}

// Copies run beside the computation: they must neither come too late nor have their memory taken by
// the next one.
TEST_F(GpuLoader, BatchesAreThoseOfTheCpuWhileTheGpuComputes) {
  const at::Device device = test::group().device();
  const ShippedPack pack;
  const PackedDataset data = PackedDataset::open(pack.path());
  const auto num_images = static_cast<int64_t>(data.size());
  const SampleOrder order =
      training_order({.num_images = num_images, .seed = 5, .batch_size = 8}, 0, num_images / 8 * 3);
  Loader host_loader(data, options(false), order), device_loader(data, options(true), order);
  DevicePrefetcher host(host_loader, at::kCPU), batches(device_loader, device);
  Tensor work = at::rand({2048, 2048}, at::TensorOptions().device(device));
  while (host.has_next()) {
    ASSERT_TRUE(batches.has_next());
    const Batch expected = host.next(), got = batches.next();
    EXPECT_EQ(got.images.device(), device);
    for (int i = 0; i < 10; ++i) work = at::matmul(work, work).softmax(1);
    EXPECT_EQ(got.samples, expected.samples);
    EXPECT_TRUE(got.images.cpu().equal(expected.images));
    EXPECT_TRUE(got.targets.labels.cpu().equal(expected.targets.labels));
    EXPECT_TRUE(got.targets.boxes.cpu().equal(expected.targets.boxes));
    const ImageSize size{384, 288};
    const Tensor input = to_model_input(got.images, device, at::kFloat, size);
    EXPECT_TRUE(input.cpu().allclose(to_model_input(expected.images, at::kCPU, at::kFloat, size), 0,
                                     1e-7));  // division differs by a bit
  }
  EXPECT_FALSE(batches.has_next());
}

}  // namespace
}  // namespace dfine
