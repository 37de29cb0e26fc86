#include "distributed/failure_reporter.h"

#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/log.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "distributed/abort_job.h"
#include "distributed/failure.h"
#include "distributed/mpi_session.h"

namespace dfine::inline distributed {
namespace {

using namespace std::chrono_literals;

// Sanitizers report signals themselves, better than we can.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::array<int, 0> kSignals{};
#else
constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#endif

constexpr auto kStoreTimeout = 2s;  // for the answer of rank zero's host
constexpr const char* kFirstKey = "first_failure";
constexpr size_t kSignalStackBytes = 64 << 10;

// A signal handler receives no argument of ours: these three are all it can see.
std::atomic<FailureReporter*> active = nullptr;
std::array<void*, 64> frames;
std::atomic<int> frame_count = 0;

std::mutex context_mutex;
std::string context, failure_log;

void write_all(int file, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(file, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

/// After a signal; where another thread holds the lock, it may be the one that failed.
void append_to_failure_log(const std::string& text) {
  const std::unique_lock lock(context_mutex, std::try_to_lock);
  const int file = lock ? open(failure_log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
  if (file < 0) return;
  write_all(file, text);
  close(file);
}

/// Has what this rank logs from now on go to the run's log too, if it is there.
void log_to_failure_log() {
  const std::lock_guard lock(context_mutex);
  if (access(failure_log.c_str(), W_OK) != 0) return;
  try {
    log::add_file(failure_log);
  } catch (const std::exception&) {  // the terminal must do
  }
}

const char* signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name ? name : "?";
}

}  // namespace

void set_failure_context(std::string_view where) {
  const std::lock_guard lock(context_mutex);
  context = where;
}

void set_failure_log(const std::filesystem::path& file) {
  const std::lock_guard lock(context_mutex);
  failure_log = file.string();
}

std::string failure_context() {
  const std::unique_lock lock(context_mutex, std::try_to_lock);
  return lock ? context : "";
}

FailureReporter::FailureReporter(const MpiSession& session) : rank_(str_cat(session.rank())) {
  if (session.size() > 1) {
    who_ = str_cat("rank ", session.rank(), " of ", session.size(), " on host ", session.host());
    store_ =
        session.store()->clone();  // a connection of its own: another thread may wait in the first
    store_->setTimeout(kStoreTimeout);
  }
  sem_init(&wake_, 0, 0);
  active = this;
  previous_terminate_ = std::set_terminate(on_terminate);
  backtrace(frames.data(), 1);  // its first call loads a library, which a handler must not do
  signal_stack_ = std::make_unique<char[]>(kSignalStackBytes);
  stack_t stack{};
  stack.ss_sp = signal_stack_.get();
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, nullptr);
  for (const int signal : kSignals) {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_ONSTACK;
    sigaction(signal, &action, &previous_.emplace_back());
  }
  watcher_ = std::thread([this] { watch(); });
  on_stop_signal([] {
    if (FailureReporter* reporter = active) sem_post(&reporter->wake_);
  });
}

FailureReporter::~FailureReporter() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous_[i], nullptr);
  stack_t stack{};
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, nullptr);
  std::set_terminate(previous_terminate_);
  on_stop_signal(nullptr);
  active = nullptr;
  ending_ = true;
  sem_post(&wake_);
  watcher_.join();
  sem_destroy(&wake_);
}

// Asynchronous-signal-safe: notes where, wakes the watcher, and waits for it to end the process.
void FailureReporter::on_signal(int signal) {
  FailureReporter* reporter = active;
  int none = 0;
  if (reporter && reporter->signal_.compare_exchange_strong(none, signal)) {
    frame_count = backtrace(frames.data(), static_cast<int>(frames.size()));
    sem_post(&reporter->wake_);
  }
  struct timespec pause{std::chrono::seconds(kLongestAbort).count(), 0};
  nanosleep(&pause, nullptr);
  _exit(128 + signal);
}

void FailureReporter::on_terminate() {
  FailureReporter* reporter = active;
  FailureText failure{ErrorCode::kInternal, "std::terminate was called", kExitFailed};
  if (const auto exception = std::current_exception()) {
    failure = describe_failure(exception);
    failure.text += "\n  in a thread that nothing catches exceptions of";
  }
  _exit(reporter ? reporter->fail(failure) : failure.exit_code);
}

void FailureReporter::watch() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the threads that work
  while (!ending_) {
    while (sem_wait(&wake_) != 0) {
    }
    if (const int signal = signal_) report_signal(signal);
    if (stop_signal() == SIGTERM) end_if_a_peer_failed();
  }
}

void FailureReporter::end_if_a_peer_failed() {
  try {
    if (store_ && store_->check({kFirstKey})) _exit(kExitFailed);
  } catch (const std::exception&) {  // it cannot be told: the launcher will end this rank
  }
}

void FailureReporter::report_signal(int signal) {
  std::string remark;
  const bool first = !failed_.exchange(true) && first_in_job(remark);
  if (first) {
    // The thread that failed may hold any lock, the log's too: it is not used.
    const std::string context_now = failure_context();
    const std::string text =
        str_cat("\n", who_.empty() ? "failed" : who_ + " failed", ": ended by signal ", signal,
                " (SIG", signal_name(signal), ": ", sigdescr_np(signal), ")",
                context_now.empty() ? "" : "\n  in " + context_now, remark, "\n");
    write_all(STDERR_FILENO, text);
    backtrace_symbols_fd(frames.data(), frame_count, STDERR_FILENO);
    append_to_failure_log(text);
  }
  _exit(abort_job(128 + signal));
}

bool FailureReporter::first_in_job(std::string& remark) {
  if (!store_) return true;
  try {
    const std::vector<uint8_t> mine(rank_.begin(), rank_.end());
    return store_->compareSet(kFirstKey, {}, mine) == mine;
  } catch (const std::exception&) {
    remark = "\n  (rank 0 no longer answers: it may have failed before)";
    return true;
  }
}

int FailureReporter::fail(const FailureText& failure) {
  if (failed_.exchange(true)) {
    std::this_thread::sleep_for(kLongestAbort);  // another thread is ending the process
    return failure.exit_code;
  }
  std::string remark;
  if (first_in_job(remark)) {
    log::omit_rank();                                  // the message names the rank
    if (store_ && rank_ != "0") log_to_failure_log();  // rank zero's log writes there already
    if (failure.exit_code == kExitUsage) {
      log::error(failure.text);
    } else if (failure.exit_code == kExitSaved) {  // on request: no failure
      log::local_info(failure.text);
    } else {
      log::error(str_cat(who_.empty() ? "" : who_ + " failed: ", failure.text, remark));
    }
  } else {
    std::this_thread::sleep_for(
        kLongestAbort);  // the first one is printing, and about to end this process
  }
  return abort_job(failure.exit_code);
}

}  // namespace dfine::inline distributed
