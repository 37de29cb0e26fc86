#pragma once
// The progress of training: one line that changes in place on a terminal, else a line every
// run.log_seconds.
#include <cstdint>
#include <functional>

#include "core/progress_line.h"

namespace dfine::inline run {

struct StepProgress {
  int64_t step = 0;   // counts from 1
  int64_t epoch = 0;  // counts from 0
  double loss = 0, lr = 0;
  int64_t images = 0;  // over all ranks
  double seconds = 0, data_wait_s = 0;
};

class Progress {
 public:
  /// `first_step` is where a resumed run continues (0 for a new one); `total_steps`, `epochs` of
  /// the whole run. `memory`: bytes, the most so far.
  Progress(int64_t first_step, int64_t total_steps, int64_t epochs, double log_seconds,
           std::function<int64_t()> memory);

  /// The first and the last step are always shown. Loss, images per second and the share of time
  /// that waited for data are means since the line before.
  /// Returns whether the log got a line.
  bool step(const StepProgress& step);

 private:
  ProgressLine line_;
  int64_t first_step_, total_steps_, epochs_;
  std::function<int64_t()> memory_;
  StepProgress sums_;
  int64_t summed_ = 0;  // steps
};

}  // namespace dfine::inline run
