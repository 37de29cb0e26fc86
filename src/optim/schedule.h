#pragma once
// Learning rate as a pure function of the step.
#include <cstdint>
#include <vector>

namespace dfine::inline optim {

/// How the learning rates go, as a factor of what the recipe states. All counts are optimizer
/// steps. The defaults are constant.
struct LrScheduleParams {
  int64_t warmup_steps = 0;  // 0: none

  std::vector<int64_t> milestones{};  // rising
  double gamma = 1;                   // factor at each of them (torch's MultiStepLR)

  int64_t cosine_begin = 0, cosine_end = 0;  // constant before, final_factor after (DEIM's
                                             // flat-cosine); cosine_end 0: no cosine
  double final_factor = 1;

  double growth = 1;  // factor of each step over the one before (the learning-rate finder)
};

/// At `step` = 0, 1, ...: the product of
/// - warm-up: (step + 1) / warmup_steps, at most 1 (the official src/optim/warmup.py);
/// - gamma to the power of the milestones reached (milestone <= step);
/// - growth to the power of the step;
/// - 1 before cosine_begin, final_factor from cosine_end on, between them final + (1 - final) * (1
/// + cos(pi * t)) / 2, t the part covered.
double lr_multiplier(const LrScheduleParams& shape, int64_t step);

}  // namespace dfine::inline optim
