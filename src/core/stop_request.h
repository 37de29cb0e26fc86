#pragma once
// The user's or the cluster's wish that the program saves its work and ends.
#include "core/error.h"

namespace dfine {

/// From now on SIGUSR1, SIGUSR2, SIGTERM, SIGHUP and the first SIGINT only note that they came. A
/// second SIGINT ends the process at once. SIGHUP stays ignored where it is (nohup).
void take_stop_signals();

/// The signal that came first; 0: none has.
int stop_signal();

/// Called in the signal handler too, for each of these signals; it may do what a handler may. Null:
/// nothing.
void on_stop_signal(void (*call)());

/// "SIGUSR1".
const char* stop_signal_name(int signal);

/// Of a program that ends on request before its work is complete; the exit code is 75.
class Stopped : public Error {
 public:
  explicit Stopped(std::string message, std::string hint = {})
      : Error(ErrorCode::kInterrupted, std::move(message), std::move(hint)) {}
  ExitCode exit_code() const override { return kExitSaved; }
};

/// Throws Stopped when a stop signal has come. For work that need not be saved: reading, copying.
void end_if_stop_requested();

}  // namespace dfine
