#include "input/tensor_pool.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>

#include "core/random.h"
#include "input/batch.h"

namespace dfine {
namespace {

constexpr std::array<int64_t, 4> kSizes{2, 3, 8, 6};

TEST(TensorPool, GivesMemoryAgainOnceNobodyHoldsIt) {
  TensorPool pool;
  Tensor first = pool.take(kSizes, at::kFloat);
  const Tensor second = pool.take(kSizes, at::kFloat);
  EXPECT_NE(first.data_ptr(), second.data_ptr());
  const void* const memory = first.data_ptr();
  const Tensor view = first.select(0, 1);
  first = Tensor();
  EXPECT_NE(pool.take(kSizes, at::kFloat).data_ptr(), memory);  // the view still holds it
  first = view.alias();
  TensorPool other;
  const void* held = nullptr;
  {
    const Tensor gone = other.take(kSizes, at::kFloat);
    held = gone.data_ptr();
  }
  EXPECT_EQ(other.take({3, 5}, at::kByte).data_ptr(), held);  // smaller: there is room
  const Tensor larger = other.take({4, 3, 8, 6}, at::kFloat);
  EXPECT_EQ(larger.sizes(), (at::IntArrayRef{4, 3, 8, 6}));
  larger.fill_(1);
  EXPECT_EQ(larger.sum().item<float>(), 4 * 3 * 8 * 6);
}

TEST(TensorPool, GivesTensorsLikeFreshOnes) {
  TensorPool pool;
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    for (int use = 0; use < 2; ++use) {
      const Tensor given = pool.take(kSizes, at::kFloat, format),
                   fresh = at::empty(kSizes, at::TensorOptions().dtype(at::kFloat), format);
      EXPECT_EQ(given.sizes(), fresh.sizes());
      EXPECT_EQ(given.strides(), fresh.strides());
      EXPECT_TRUE(given.is_contiguous(format));
      EXPECT_FALSE(given.is_view());
    }
  }
}

TEST(TensorPool, LargeTensorsBeginAtAHugePage) {
  TensorPool pool;
  for (const int64_t size : {int64_t{4} << 20, int64_t{20'000'000}, int64_t{5} << 20}) {
    const Tensor given = pool.take({size}, at::kByte);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(given.data_ptr()) % (2 << 20), 0U);
    given.fill_(1);
    EXPECT_EQ(given.sum().item<int64_t>(), size);
    const Tensor other = pool.take({size / 4}, at::kFloat);
    other.fill_(2);
    EXPECT_EQ(given.sum().item<int64_t>(), size);  // they do not overlap
  }
}

/// A tensor that autograd saved is not written to: it holds the memory until backward is done.
TEST(TensorPool, LeavesWhatAutogradSavedAlone) {
  TensorPool pool;
  const Tensor weight = at::ones({1}).set_requires_grad(true);
  Tensor loss;
  {
    Tensor input = pool.take({4}, at::kFloat);
    input.fill_(3);
    loss = (input * weight).sum();
  }
  pool.take({4}, at::kFloat).fill_(7);
  loss.backward();
  EXPECT_EQ(weight.grad().item<float>(), 12);
}

TEST(ModelInput, IsTheSameFromAPool) {
  CounterRandom random(11, Stream::kTest, 0);
  TensorPool pool;
  for (int batch = 0; batch < 3; ++batch) {
    Tensor images = at::empty({2, 3, 16, 24}, at::kByte);
    for (int64_t i = 0; i < images.numel(); ++i)
      images.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(random.below(256));
    for (const auto size : {std::optional<ImageSize>(), std::optional(ImageSize{8, 40})}) {
      const Tensor fresh = to_model_input(images, at::kCPU, at::kFloat, size),
                   pooled = to_model_input(images, at::kCPU, at::kFloat, size, &pool);
      EXPECT_TRUE(at::equal(fresh, pooled));
      EXPECT_EQ(fresh.strides(), pooled.strides());
      EXPECT_TRUE(at::equal(
          pooled.to(at::kDouble),
          to_model_input(images, at::kCPU, at::kDouble, size).to(at::kFloat).to(at::kDouble)));
    }
  }
}

}  // namespace
}  // namespace dfine
