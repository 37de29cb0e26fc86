#pragma once

namespace dfine {

/// From now on SIGINT, SIGTERM and SIGHUP only set a flag, so that the program can remove what it
/// has begun. A second one ends it at once.
void catch_interrupts();

bool interrupted();

/// If one was caught, ends the process by that very signal, as whoever sent it expects; else does
/// nothing.
void end_by_caught_interrupt();

}  // namespace dfine
