#include "signals.h"

#include <csignal>
#include <initializer_list>

namespace dfine {
namespace {

volatile std::sig_atomic_t caught = 0;  // a signal handler can reach nothing else

void note(int signal) {
  caught = signal;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction previous{};
    // What the parent had ignored (nohup) stays ignored.
    if (::sigaction(signal, nullptr, &previous) == 0 && previous.sa_handler != SIG_IGN)
      ::sigaction(signal, &action, nullptr);
  }
}

bool interrupted() {
  return caught != 0;
}

void end_by_caught_interrupt() {
  if (caught == 0) return;
  std::signal(caught, SIG_DFL);
  std::raise(caught);
}

}  // namespace dfine
