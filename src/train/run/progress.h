#pragma once
// The progress line: rewritten in place on a terminal, plain lines now and then otherwise.
#include <chrono>
#include <cstdint>
#include <string>

namespace dfine::inline run {

class Progress {
 public:
  /// `total_steps` of the whole run; `first_step` is where a resumed run continues (0 for a new
  /// one).
  Progress(int64_t first_step, int64_t total_steps, int64_t log_every);

  /// After step `step` (from 1) of `epoch`. `wait_share`: of the step's time, that waited for data;
  /// shown from a tenth on.
  void step(int64_t step, int64_t epoch, double loss, double images_per_s, double wait_share);

  /// Ends the line on a terminal, so that other output begins on a line of its own.
  void finish_line();

 private:
  bool terminal_;
  int64_t first_step_, total_steps_, log_every_;
  std::chrono::steady_clock::time_point begin_;
  bool open_ = false;
};

/// "1:02:03", "4:05", "12 s".
std::string human_duration(double seconds);

}  // namespace dfine::inline run
