#pragma once
// Whether the run is to save and end before its work is complete: by a signal, by RUN_DIR/stop, or
// because train.max_minutes are over.
#include <chrono>
#include <cstdint>
#include <string>

#include "train/run/run_context.h"

namespace dfine::inline run {

class StopPoll {
 public:
  explicit StopPoll(const RunContext& context) : context_(context) {}

  /// This rank's wish to stop after a step, for Communicator::max(): 0 none. Rank zero looks for
  /// the file RUN_DIR/stop at most once a second.
  int64_t wish();
  /// The same during a validation, which train.max_minutes does not interrupt: a start that has
  /// time for nothing else would never get beyond it.
  int64_t request();

  /// Remembers what the ranks agreed on; all of them have the same value.
  void agree(int64_t wish) {
    if (agreed_ == 0) agreed_ = wish;
  }
  bool stopped() const { return agreed_ != 0; }

  /// "SIGUSR1", "the file RUN_DIR/stop" or "train.max_minutes = 60".
  std::string reason() const;
  /// For metrics.jsonl: "signal", "stop_file" or "max_minutes".
  const char* event_reason() const;

  /// Rank zero removes RUN_DIR/stop, so that the next start does not stop at once.
  void remove_file() const;

 private:
  bool file_asks();

  const RunContext& context_;
  int64_t agreed_ = 0;
  bool file_seen_ = false;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace dfine::inline run
