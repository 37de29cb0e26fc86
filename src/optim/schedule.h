#pragma once
// Learning rate as a pure function of the step.
#include <algorithm>
#include <cstdint>

namespace dfine {

/// Constant after a linear warm-up: base * (step + 1) / warmup_steps at `step` = 0, 1, ..., at most base (the official schedule; its
/// later decay lies beyond the last epoch). warmup_steps = 0: constant.
inline double learning_rate(double base, int64_t step, int64_t warmup_steps) {
  if (warmup_steps <= 0) return base;
  return base * std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(warmup_steps));
}

}  // namespace dfine
