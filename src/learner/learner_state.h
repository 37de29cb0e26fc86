#pragma once
// All that a learner must keep to go on as if it had not been interrupted.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "optim/adamw.h"
#include "optim/grad_scaler.h"
#include "tensor.h"

namespace dfine::inline learner {

/// What a learner holds.
struct LearnerState {
  std::map<std::string, Tensor> model;  // raw weights: parameters and buffers by name
  AdamWState optimizer;
  std::optional<GradScaler::State> scaler;  // unset: not in half precision. In state.pth as
                                            // torch.amp.GradScaler.state_dict() has it

  struct EmaState {
    std::map<std::string, Tensor> tensors;  // as model
    int64_t updates = 0;
    std::optional<double> restarted_decay;  // see Ema::restart
  };
  std::optional<EmaState> ema;  // unset: off

  /// As RunState::entries.
  template <class Learner, class Visit>
  static void entries(Learner& learner, const Visit& visit) {
    visit("model_state_dict", learner.model);
    visit("optimizer_state_dict", learner.optimizer);
    visit("scaler", learner.scaler);
    visit("ema", learner.ema);
  }
};

/// The state with all its tensors on `device`, see staged_copy.
LearnerState to_device(LearnerState state, at::Device device);

/// A copy of the state in host memory, which later steps do not change. Waits for the device.
LearnerState host_copy(LearnerState state);

/// Throws one Error that lists all differences unless `saved` and `model` are exactly the same in
/// names, shapes and types.
void require_same_tensors(const std::map<std::string, Tensor>& saved,
                          const std::map<std::string, Tensor>& model);

/// Copies `saved` into the tensors of `model` (parameters and buffers by name), which must be the
/// same. Else it throws an Error as above and copies nothing.
void restore_tensors(const std::map<std::string, Tensor>& saved,
                     const std::map<std::string, Tensor>& model);

}  // namespace dfine::inline learner
