#include "core/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>

#include "core/error.h"

namespace dfine {
namespace {

TEST(ThreadPool, RunsJobsAndReturnsResults) {
  for (const int threads : {0, 1, 4}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    std::vector<std::future<int>> futures;
    for (int i = 0; i < 100; ++i) futures.push_back(pool.submit([i] { return i * i; }));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(futures[static_cast<size_t>(i)].get(), i * i);
  }
}

TEST(ThreadPool, FuturesCarryExceptions) {
  ThreadPool pool(2);
  auto failing = pool.submit([]() -> int { throw Error(ErrorCode::kInternal, "lost"); });
  EXPECT_THROW(failing.get(), Error);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
}

TEST(ThreadPool, DestructorWaitsForRunningAndDropsWaitingJobs) {
  std::atomic<bool> release{false}, finished{false};
  std::promise<void> begun;
  std::future<void> waiting;
  std::thread opener;
  {
    ThreadPool pool(1);
    pool.submit([&] {
      begun.set_value();
      while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      finished = true;
    });
    begun.get_future().wait();
    waiting = pool.submit([] {});
    opener = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      release = true;
    });
  }
  EXPECT_TRUE(finished);
  EXPECT_THROW(waiting.get(), std::future_error);
  opener.join();
}

TEST(OrderedParallel, ConsumesInOrderWithinTheWindow) {
  for (const int threads : {0, 1, 4}) {
    ThreadPool pool(threads);
    std::atomic<int> ahead{0}, most{0};
    std::vector<size_t> seen;
    ordered_parallel(
        pool, 200, 8,
        [&](size_t i) {
          const int now = ++ahead;
          int before = most;
          while (now > before && !most.compare_exchange_weak(before, now)) {
          }
          if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
          return i;
        },
        [&](size_t i, size_t result) {
          EXPECT_EQ(i, result);
          seen.push_back(result);
          --ahead;
        });
    std::vector<size_t> expected(200);
    std::iota(expected.begin(), expected.end(), size_t{0});
    EXPECT_EQ(seen, expected);
    EXPECT_LE(most, 8);
  }
}

TEST(ParallelRanges, CoverEverythingOnceAndPassFailuresOn) {
  for (const int threads : {0, 3}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> visits(100);
    size_t longest = 0;
    std::mutex mutex;
    parallel_ranges(pool, visits.size(), 7, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) ++visits[i];
      const std::lock_guard lock(mutex);
      longest = std::max(longest, last - first);
    });
    for (const auto& count : visits) EXPECT_EQ(count, 1);
    EXPECT_EQ(longest, 7U);

    std::atomic<int> ended{0};
    try {
      parallel_ranges(pool, 10, 1, [&](size_t first, size_t) {
        ++ended;
        if (first >= 4) throw Error(ErrorCode::kInternal, std::to_string(first));
      });
      FAIL() << threads << " threads";
    } catch (const Error& e) {
      EXPECT_EQ(e.message(), "4");
    }
    EXPECT_EQ(ended, 10);
  }
}

TEST(OrderedParallel, FirstFailureInOrderEndsIt) {
  ThreadPool pool(4);
  size_t consumed = 0;
  std::atomic<int> running{0};
  try {
    ordered_parallel(
        pool, 100, 16,
        [&](size_t i) {
          ++running;
          if (i == 20)
            std::this_thread::sleep_for(
                std::chrono::milliseconds(5));  // fails later in time than 21
          --running;
          if (i >= 20) throw Error(ErrorCode::kInternal, std::to_string(i));
          return i;
        },
        [&](size_t, size_t) { ++consumed; });
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "20");
  }
  EXPECT_EQ(consumed, 20U);
  EXPECT_EQ(running, 0);
}

}  // namespace
}  // namespace dfine
