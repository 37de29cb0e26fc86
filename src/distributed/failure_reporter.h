#pragma once
// Internal to distributed: how a rank's failure reaches the user and ends its peers.
#include <semaphore.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <c10/util/intrusive_ptr.h>

#include "core/error_code.h"

namespace c10d {
class Store;
}

namespace dfine::inline distributed {

class MpiSession;

struct FailureText {
  ErrorCode code;
  std::string text;
  int exit_code = kExitFailed;
};

/// What set_failure_context said last; empty when another thread holds its lock: it may be the one
/// that failed.
std::string failure_context();

/// With its context, ready to print.
FailureText describe_failure(const std::exception_ptr& failure);

/// Takes over std::terminate and the fatal signals while it lives; one per process. A signal is
/// reported by a thread of its own, since a handler may do next to nothing.
class FailureReporter {
 public:
  explicit FailureReporter(const MpiSession& session);
  ~FailureReporter();
  FailureReporter(const FailureReporter&) = delete;
  FailureReporter& operator=(const FailureReporter&) = delete;

  /// Prints the failure unless another rank (or thread) failed before, then ends the job. Alone it
  /// returns the exit code.
  int fail(const FailureText& failure);

 private:
  static void on_signal(int signal);
  [[noreturn]] static void on_terminate();
  void watch();
  void report_signal(int signal);
  /// A launcher sends SIGTERM to the other ranks when one has failed. They then wait for it in
  /// vain: no step would end at which they could agree to stop.
  void end_if_a_peer_failed();
  bool first_in_job(std::string& remark);

  std::string who_;  // "rank 1 of 4 on host n2"; empty when alone
  std::string rank_;
  c10::intrusive_ptr<c10d::Store> store_;  // null when alone
  std::atomic<bool> failed_ = false;       // in this process
  std::atomic<int> signal_ = 0;
  std::atomic<bool> ending_ = false;
  sem_t wake_;
  std::vector<struct sigaction> previous_;
  std::terminate_handler previous_terminate_ = nullptr;
  std::unique_ptr<char[]> signal_stack_;
  std::thread watcher_;
};

}  // namespace dfine::inline distributed
