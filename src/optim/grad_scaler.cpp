#include "optim/grad_scaler.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>

#include <cmath>

namespace dfine::inline optim {

void GradScaler::unscale(const std::vector<Tensor>& parameters) const {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  if (!gradients.empty()) at::_foreach_mul_(gradients, 1.0 / state_.scale);
}

void GradScaler::update(bool overflow) {
  if (overflow) {
    state_ = {.scale = state_.scale * kBackoff, .good_steps = 0};
  } else if (++state_.good_steps == kGrowthInterval) {
    const float grown = state_.scale * kGrowth;
    state_ = {.scale = std::isfinite(grown) ? grown : state_.scale, .good_steps = 0};
  }
}

}  // namespace dfine::inline optim
