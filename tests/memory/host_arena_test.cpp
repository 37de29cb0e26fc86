#include "memory/host_arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

namespace dfine {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(HostArena, BlocksAreAlignedAndReused) {
  HostArena arena(64 * kMiB);
  void* const first = arena.allocate(3 * kMiB + 1);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 4096, 0u);
  EXPECT_EQ(arena.used_bytes(), 3 * kMiB + 4096);
  EXPECT_TRUE(arena.free(first));
  EXPECT_EQ(arena.used_bytes(), 0u);
  EXPECT_EQ(arena.allocate(2 * kMiB), first) << "the freed block was there";
}

TEST(HostArena, TakesTheSmallestBlockThatIsLargeEnough) {
  HostArena arena(64 * kMiB);
  void* const large = arena.allocate(8 * kMiB);
  void* const between = arena.allocate(kMiB);
  void* const small = arena.allocate(2 * kMiB);
  void* const last = arena.allocate(kMiB);
  arena.free(large);
  arena.free(small);
  EXPECT_EQ(arena.allocate(2 * kMiB), small);
  EXPECT_EQ(arena.allocate(5 * kMiB), large);
  arena.free(between);
  arena.free(last);
}

TEST(HostArena, NeighboursBecomeOneBlock) {
  HostArena arena(64 * kMiB);
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(arena.allocate(kMiB));
  for (const size_t i : {1, 3, 5, 7, 9, 2, 0, 8, 4, 6}) arena.free(blocks[i]);
  EXPECT_EQ(arena.free_blocks(), 1u);
  EXPECT_EQ(arena.allocate(10 * kMiB), blocks[0]);
}

TEST(HostArena, LargerThanARegion) {
  HostArena arena(4 * kMiB);
  void* const block = arena.allocate(100 * kMiB);
  ASSERT_NE(block, nullptr);
  std::memset(block, 1, 100 * kMiB);
  EXPECT_TRUE(arena.free(block));
}

TEST(HostArena, WhatTheKernelRefusesIsNull) {
  HostArena arena(4 * kMiB);
  EXPECT_EQ(arena.allocate(size_t{1} << 60), nullptr);
  EXPECT_EQ(arena.allocate(SIZE_MAX), nullptr);
  EXPECT_NE(arena.allocate(kMiB), nullptr) << "it goes on";
}

TEST(HostArena, DoesNotFreeWhatIsNotItsOwn) {
  HostArena arena(4 * kMiB);
  alignas(4096) static char other[4096];
  EXPECT_FALSE(arena.free(other));
  EXPECT_FALSE(arena.free(other + 64));
}

// Each block is filled with another number and checked when it is freed: two blocks that
// overlap would show. Several threads at a time, over more than one region.
TEST(HostArena, RandomSizesFromSeveralThreads) {
  HostArena arena(16 * kMiB);
  const auto work = [&](uint32_t seed) {
    std::mt19937 random(seed);
    std::map<unsigned char*, std::pair<size_t, unsigned char>> mine;
    const auto take_back = [&](auto block) {
      const auto [size, value] = block->second;
      for (size_t i = 0; i < size; i += 512) ASSERT_EQ(block->first[i], value);
      ASSERT_EQ(block->first[size - 1], value);
      ASSERT_TRUE(arena.free(block->first));
      mine.erase(block);
    };
    for (int step = 0; step < 3000; ++step) {
      if (mine.size() < 20 && random() % 3 != 0) {
        const size_t size = 1 + random() % (random() % 8 == 0 ? 4 * kMiB : 100'000);
        auto* const block = static_cast<unsigned char*>(arena.allocate(size));
        ASSERT_NE(block, nullptr);
        const auto value = static_cast<unsigned char>(random());
        std::memset(block, value, size);
        mine[block] = {size, value};
      } else if (!mine.empty()) {
        take_back(std::next(mine.begin(), static_cast<long>(random() % mine.size())));
      }
    }
    while (!mine.empty()) take_back(mine.begin());
  };
  std::vector<std::thread> threads;
  for (uint32_t seed = 1; seed <= 3; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena.used_bytes(), 0u);
}

}  // namespace
}  // namespace dfine
