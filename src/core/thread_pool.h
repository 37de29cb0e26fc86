#pragma once
// Worker threads with one queue, and the loops built on them.
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace dfine {

class ThreadPool {
 public:
  /// `threads` workers; 0 means that submit() runs the job at once in the caller (for debugging and
  /// single-core use).
  explicit ThreadPool(int threads);
  /// Drops jobs that have not begun (their futures report std::future_errc::broken_promise) and
  /// waits for those that run.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()); }

  /// Queues `job()`; the future gives its result or rethrows what it threw. Any thread may call
  /// this.
  template <class Job>
  std::future<std::invoke_result_t<Job>> submit(Job job) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Job>()>>(std::move(job));
    auto future = task->get_future();
    enqueue([task] { (*task)(); });
    return future;
  }

 private:
  void enqueue(std::function<void()> job);
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

/// Calls body(first, last) on the pool for ranges that cover 0 .. count, at most `grain` long, and
/// waits for all of them. Rethrows the first exception, in order of the ranges.
template <class Body>
void parallel_ranges(ThreadPool& pool, size_t count, size_t grain, const Body& body) {
  std::vector<std::future<void>> running;
  for (size_t first = 0; first < count; first += grain) {
    running.push_back(
        pool.submit([&body, first, last = std::min(count, first + grain)] { body(first, last); }));
  }
  for (auto& job : running) job.wait();  // all of them refer to `body`
  for (auto& job : running) job.get();
}

/// Computes produce(0) ... produce(count - 1) on the pool, at most `window` results ahead. Hands
/// them to consume(i, result) in the caller's thread, in order of i. What consume() sees does not
/// depend on the number of threads. The first exception of either, in order of i, ends it, after
/// the jobs under way have finished.
template <class Produce, class Consume>
void ordered_parallel(ThreadPool& pool, size_t count, size_t window, Produce produce,
                      Consume consume) {
  using Result = std::invoke_result_t<Produce, size_t>;
  struct Pending {
    std::deque<std::future<Result>> futures;
    ~Pending() {  // jobs refer to `produce`: none may outlive this call
      for (auto& future : futures) future.wait();
    }
  } pending;
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    for (; next < count && next < i + (window > 0 ? window : 1); ++next) {
      pending.futures.push_back(pool.submit([&produce, next] { return produce(next); }));
    }
    auto future = std::move(pending.futures.front());
    pending.futures.pop_front();
    consume(i, future.get());
  }
}

}  // namespace dfine
