#pragma once
// Exponential moving average of a model's weights, as the official code keeps it (src/optim/ema.py
// of Peterande/D-FINE).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor.h"

namespace dfine::inline optim {

/// decay * (1 - exp(-update / warmup_steps)); decay alone if warmup_steps is 0. `update` counts
/// from 1.
double ema_decay(double decay, int64_t update, int64_t warmup_steps);

class Ema {
 public:
  /// Starts from `model`, the model's parameters and buffers by name, which it keeps watching; it
  /// owns copies. All floating point tensors are averaged, running statistics included; the others
  /// (batch counters) keep their first value.
  Ema(std::map<std::string, Tensor> model, double decay, int64_t warmup_steps);

  /// average = d * average + (1 - d) * model, with d = ema_decay(decay, updates(), warmup_steps)
  /// after counting this update. Does not wait for the device.
  void update();
  /// The same, but where `skip` (float [], on the device) is 1, the device leaves the averages as
  /// they are. It counts as an update; take_back_update() undoes that once the host knows.
  void update(const Tensor& skip);
  void take_back_update() { --updates_; }

  int64_t updates() const { return updates_; }
  double decay_now() const { return ema_decay(decay(), updates_, warmup_steps_); }

  /// What the official trainer (src/solver/det_solver.py) means to do at train.stage2_epoch:
  /// `decay` takes the place of the one of construction, and the warm-up goes on. As published it
  /// has no effect, because the EMA's decay was fixed when it was made (a closure in
  /// src/optim/ema.py). So ema.restart = "published" is to not call this.
  void restart(double decay);
  /// And after each later epoch without improvement: the restarted decay falls by 1e-4, not below
  /// 0. Nothing before restart().
  void lower_restarted_decay();
  /// The decay since restart(); unset before. Part of the state.
  std::optional<double> restarted_decay() const { return restarted_decay_; }

  /// All tensors by name, sharing memory with the EMA.
  const std::map<std::string, Tensor>& averages() const;
  /// Copies averages in; the names and shapes must be the model's. Throws Error naming the first
  /// that is not. `restarted_decay` as restarted_decay() gave it.
  void load(const std::map<std::string, Tensor>& averages, int64_t updates,
            std::optional<double> restarted_decay);

  /// Exchanges the contents of average and model, in place and exactly; see with_ema_weights. While
  /// exchanged, update(), averages() and load() throw.
  void exchange();

 private:
  void require_own_place() const;
  double decay() const { return restarted_decay_.value_or(decay_); }

  std::map<std::string, Tensor> model_, average_;
  std::vector<Tensor> model_list_, average_list_;  // the floating point ones, in the same order
  double decay_;
  std::optional<double> restarted_decay_;
  int64_t warmup_steps_, updates_ = 0;
  bool exchanged_ = false;
};

/// What `body()` returns, called while the model has the EMA's weights: for validation. If it
/// throws, the weights stay exchanged, since the device may be what failed; the run must end then.
template <class Body>
auto with_ema_weights(Ema& ema, const Body& body) {
  ema.exchange();
  auto result = body();
  ema.exchange();
  return result;
}

}  // namespace dfine::inline optim
