#pragma once
// Loss scaling for half precision (Micikevicius et al., "Mixed Precision Training", ICLR 2018).
// Gradients too small for half survive when the loss is multiplied by a large factor before the
// backward pass.
#include <cstdint>
#include <vector>

#include "tensor.h"

namespace dfine::inline optim {

/// The factor, adapted as torch.amp.GradScaler adapts it, with its defaults: halved after an
/// overflow, doubled after 2000 steps in a row without one.
class GradScaler {
 public:
  struct State {
    float scale = 65536;
    int64_t good_steps = 0;  // in a row, since the scale last changed
  };

  static constexpr float kGrowth = 2, kBackoff = 0.5;
  static constexpr int64_t kGrowthInterval = 2000;

  double scale() const { return state_.scale; }
  /// Whether an overflow may still be the scale's fault.
  bool can_back_off() const { return state_.scale > 1; }

  /// Divides the parameters' gradients by the scale. Does not wait for the device.
  void unscale(const std::vector<Tensor>& parameters) const;

  /// After each step. `overflow`: a gradient was not finite, and the step was not made.
  void update(bool overflow);

  const State& state() const { return state_; }
  void load(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace dfine::inline optim
