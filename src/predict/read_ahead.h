#pragma once
// Jobs whose number is not known beforehand, computed on several threads, their results in order.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/thread_pool.h"

namespace dfine::inline predict {

template <class Result>
class ReadAhead {
 public:
  using Job = std::function<Result()>;

  /// `next_job` gives jobs until it gives none; a separate thread calls it. `threads` work on them,
  /// until `ahead` results are there or under way that nobody has taken.
  ReadAhead(std::function<std::optional<Job>()> next_job, int threads, size_t ahead)
      : next_job_(std::move(next_job)),
        ahead_(ahead),
        pool_(threads),
        feeder_([this] { feed(); }) {}
  /// Waits for the jobs under way; others are dropped.
  ~ReadAhead() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    feeder_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// In the order of the jobs; nothing after the last. Rethrows what a job or `next_job` threw.
  std::optional<Result> next() {
    std::future<Result> oldest;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || !results_.empty(); });
      if (results_.empty()) {
        if (failure_) std::rethrow_exception(failure_);
        return std::nullopt;
      }
      oldest = std::move(results_.front());
      results_.pop_front();
    }
    changed_.notify_all();
    return oldest.get();
  }

 private:
  void feed() {
    std::exception_ptr failure;
    try {
      while (wait_for_place()) {
        std::optional<Job> job = next_job_();
        if (!job) break;
        auto result = pool_.submit(std::move(*job));
        const std::lock_guard lock(mutex_);
        results_.push_back(std::move(result));
        changed_.notify_all();
      }
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    ended_ = true;
    changed_.notify_all();
  }

  /// False: nobody wants more.
  bool wait_for_place() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || results_.size() < ahead_; });
    return !stopping_;
  }

  const std::function<std::optional<Job>()> next_job_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, ended_ = false;
  std::exception_ptr failure_;
  std::deque<std::future<Result>> results_;
  ThreadPool pool_;
  std::thread feeder_;  // begins after all that it uses
};

}  // namespace dfine::inline predict
