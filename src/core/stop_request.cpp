#include "core/stop_request.h"

#include <signal.h>
#include <string.h>

#include <atomic>
#include <string>

#include "core/text.h"

namespace dfine {
namespace {

std::atomic<int> first_signal = 0;
std::atomic<bool> interrupted = false;
std::atomic<void (*)()> also_call = nullptr;
static_assert(std::atomic<int>::is_always_lock_free);  // a handler may use nothing else

void note(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  if (const auto call = also_call.load()) call();
  if (signal != SIGINT || !interrupted.exchange(true)) return;
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGINT, &by_default, nullptr);
  raise(SIGINT);
}

}  // namespace

void take_stop_signals() {
  struct sigaction action{};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
  // The end of a login session, unless nohup has it ignored.
  struct sigaction before{};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
}

void on_stop_signal(void (*call)()) {
  also_call = call;
}

int stop_signal() {
  return first_signal;
}

const char* stop_signal_name(int signal) {
  switch (signal) {
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGHUP:
      return "SIGHUP";
    default:
      return sigdescr_np(signal);
  }
}

void end_if_stop_requested() {
  if (const int signal = stop_signal())
    throw Stopped(str_cat("stopped by ", stop_signal_name(signal), ": nothing was to be saved yet"),
                  "run the same command again");
}

}  // namespace dfine
