#include "model/staged_copy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace dfine {
namespace {

std::vector<Tensor> tensors() {
  return {at::arange(24, at::kFloat).view({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast),
          at::full({}, 7, at::kLong),
          at::arange(6, at::kFloat).view({2, 3}).t(),     // dense, not contiguous
          at::arange(10, at::kFloat).slice(0, 0, 10, 2),  // with gaps
          at::empty({0, 4}, at::kFloat),
          at::full({}, 3, at::kFloat),
          at::arange(5, at::kLong),
          at::arange(4, at::kFloat).to(at::kBFloat16).requires_grad_()};
}

// Chunks of one tensor, of a few, of all of one type.
TEST(StagedCopy, KeepsValuesTypesAndLayouts) {
  for (const int64_t chunk_bytes : {1, 40, 1 << 20}) {
    const auto originals = tensors();
    const auto copies = copy_in_chunks(originals, at::kCPU, chunk_bytes);
    ASSERT_EQ(copies.size(), originals.size());
    for (size_t i = 0; i < copies.size(); ++i) {
      EXPECT_EQ(copies[i].scalar_type(), originals[i].scalar_type()) << i;
      EXPECT_TRUE(copies[i].equal(originals[i])) << i;
      EXPECT_EQ(copies[i].storage().nbytes(), copies[i].nbytes()) << i;  // no part of a chunk
      EXPECT_FALSE(copies[i].requires_grad()) << i;
    }
    EXPECT_TRUE(copies[0].is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_EQ(copies[2].strides(), originals[2].strides());
  }
}

TEST(StagedCopy, WhatIsThereAlreadyStays) {
  const auto originals = tensors();
  const auto copies = staged_copy(originals, at::kCPU);
  for (size_t i = 0; i < copies.size(); ++i) EXPECT_TRUE(copies[i].is_same(originals[i])) << i;
}

}  // namespace
}  // namespace dfine
