#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dfine::inline optim {
namespace {

double warmup(const LrScheduleParams& shape, int64_t step) {
  if (shape.warmup_steps <= 0) return 1;
  return std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(shape.warmup_steps));
}

double multistep(const LrScheduleParams& shape, int64_t step) {
  const auto reached = std::upper_bound(shape.milestones.begin(), shape.milestones.end(), step) -
                       shape.milestones.begin();
  return std::pow(shape.gamma, static_cast<double>(reached));
}

double cosine(const LrScheduleParams& shape, int64_t step) {
  if (shape.cosine_end <= 0 || step < shape.cosine_begin) return 1;
  if (step >= shape.cosine_end) return shape.final_factor;
  const double covered = static_cast<double>(step - shape.cosine_begin) /
                         static_cast<double>(shape.cosine_end - shape.cosine_begin);
  return shape.final_factor +
         (1 - shape.final_factor) * (1 + std::cos(std::numbers::pi * covered)) / 2;
}

}  // namespace

double lr_multiplier(const LrScheduleParams& shape, int64_t step) {
  return warmup(shape, step) * multistep(shape, step) * cosine(shape, step) *
         std::pow(shape.growth, static_cast<double>(step));
}

}  // namespace dfine::inline optim
