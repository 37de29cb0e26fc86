#include "predict/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace dfine {
namespace {

using Reader = ReadAhead<int>;

/// Jobs 0, 1, ... `count` - 1; of which those that come first take longest.
std::function<std::optional<Reader::Job>()> jobs(int count) {
  return [count, next = 0]() mutable -> std::optional<Reader::Job> {
    if (next == count) return std::nullopt;
    return [i = next++] {
      std::this_thread::sleep_for(std::chrono::microseconds(i % 4 == 0 ? 500 : 0));
      return i;
    };
  };
}

TEST(ReadAhead, GivesTheResultsInOrder) {
  for (const int threads : {0, 1, 3}) {
    Reader reader(jobs(100), threads, 5);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(reader.next(), i);
    EXPECT_EQ(reader.next(), std::nullopt);
    EXPECT_EQ(reader.next(), std::nullopt);
  }
}

TEST(ReadAhead, IsNoFurtherAheadThanItMay) {
  std::atomic<int> asked = 0;
  Reader reader(
      [&]() -> std::optional<Reader::Job> {
        ++asked;
        return [] { return 0; };
      },
      2, 3);
  for (int taken = 0; taken < 20; ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_LE(asked, taken + 3);
    EXPECT_EQ(reader.next(), 0);
  }
  EXPECT_GE(asked, 20);
}

TEST(ReadAhead, RethrowsInOrder) {
  Reader of_job(
      [next = 0]() mutable -> std::optional<Reader::Job> {
        return [i = next++]() -> int { return i == 2 ? throw std::runtime_error("job") : i; };
      },
      2, 4);
  EXPECT_EQ(of_job.next(), 0);
  EXPECT_EQ(of_job.next(), 1);
  EXPECT_THROW(of_job.next(), std::runtime_error);
  Reader of_source(
      [next = 0]() mutable -> std::optional<Reader::Job> {
        if (next == 1) throw std::logic_error("source");
        return [i = next++] { return i; };
      },
      2, 4);
  EXPECT_EQ(of_source.next(), 0);
  EXPECT_THROW(of_source.next(), std::logic_error);
}

}  // namespace
}  // namespace dfine
