// Each in a separate process: signals and what was noted of them stay with a process.
#include "core/stop_request.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <iterator>
#include <string>
#include <vector>

#include "support/child_process.h"

namespace dfine {
namespace {

constexpr int kSignals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};

/// How a child ends that is asked to stop with `signals`, one after another; 0: it goes on.
int end_after(const std::vector<int>& signals) {
  ChildProcess child([&] {
    take_stop_signals();
    if (stop_signal() != 0) return 1;
    for (const int signal : signals) ::raise(signal);
    return stop_signal() == signals.front() ? 0 : 2;
  });
  return child.wait();
}

TEST(StopRequest, TheFirstSignalIsNoted) {
  for (const int signal : kSignals) {
    EXPECT_EQ(end_after({signal}), 0) << signal;
    EXPECT_EQ(end_after({signal, SIGUSR1, SIGUSR2, SIGTERM, SIGTERM}), 0) << signal;
  }
  EXPECT_EQ(end_after({SIGTERM, SIGINT}), 0);
}

TEST(StopRequest, ASecondInterruptEndsAtOnce) {
  EXPECT_EQ(end_after({SIGINT, SIGINT}), -SIGINT);
  EXPECT_EQ(end_after({SIGTERM, SIGINT, SIGINT}), -SIGINT);
  EXPECT_EQ(end_after({SIGINT, SIGTERM, SIGINT}), -SIGINT);
}

TEST(StopRequest, UnderNohupTheEndOfALoginIsIgnored) {
  ChildProcess child([] {
    ::signal(SIGHUP, SIG_IGN);
    take_stop_signals();
    ::raise(SIGHUP);
    return stop_signal();
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(StopRequest, UntilThenSignalsActAsEver) {
  for (const int signal : kSignals) {
    ChildProcess child([&] { return ::raise(signal); });
    EXPECT_EQ(child.wait(), -signal);
  }
}

int calls = 0;

TEST(StopRequest, AnotherIsCalledToo) {
  ChildProcess child([] {
    on_stop_signal([] { ++calls; });
    take_stop_signals();
    for (const int signal : kSignals) ::raise(signal);
    if (calls != std::ssize(kSignals)) return 1;
    on_stop_signal(nullptr);
    ::raise(SIGTERM);
    return calls == std::ssize(kSignals) ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(StopRequest, WorkThatNeedNotBeSavedEnds) {
  for (const int signal : kSignals) {
    ChildProcess child([&] {
      take_stop_signals();
      end_if_stop_requested();
      ::raise(signal);
      try {
        end_if_stop_requested();
      } catch (const Error& e) {
        const std::string name = stop_signal_name(signal);
        if (e.code() != ErrorCode::kInterrupted || e.message().find(name) == std::string::npos)
          return 1;
        return static_cast<int>(e.exit_code());
      }
      return 2;
    });
    EXPECT_EQ(child.wait(), 75) << signal;
  }
}

TEST(StopRequest, SignalsHaveNames) {
  EXPECT_STREQ(stop_signal_name(SIGUSR1), "SIGUSR1");
  EXPECT_STREQ(stop_signal_name(SIGUSR2), "SIGUSR2");
  EXPECT_STREQ(stop_signal_name(SIGTERM), "SIGTERM");
  EXPECT_STREQ(stop_signal_name(SIGINT), "SIGINT");
}

}  // namespace
}  // namespace dfine
