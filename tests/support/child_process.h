#pragma once
// A child process that runs a function of the test.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <utility>

namespace dfine {

/// How a child says that this machine does not allow what it needs.
constexpr int kSkipped = 77;

/// Runs `body` in a child; what it returns is the exit code, 99 where it throws. No destructor of
/// the test runs there. A child that is not waited for is killed at the end.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    try {
      ::_exit(body());
    } catch (const std::exception& e) {
      std::fprintf(stderr, "in the child: %s\n", e.what());
    } catch (...) {
      std::fprintf(stderr, "in the child: not a std::exception\n");
    }
    ::_exit(99);
  }
  ~ChildProcess() {
    if (pid_ <= 0) return;
    kill(SIGKILL);
    wait();
  }
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ChildProcess& operator=(ChildProcess&&) = delete;

  pid_t pid() const { return pid_; }
  void kill(int signal) const { ::kill(pid_, signal); }
  /// The exit code; minus the signal that ended it. A child that hangs is ended by ctest's limit.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) continue;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

}  // namespace dfine
