#pragma once
// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019), step for step
// as torch.optim.AdamW.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor.h"

namespace dfine::inline optim {

struct AdamWHyperparameters {
  double lr = 1e-3;
  double weight_decay = 1e-2;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
};

/// Parameters that share their hyperparameters.
struct ParameterGroup {
  std::vector<std::string> names;
  std::vector<Tensor> parameters;  // as many as names
  AdamWHyperparameters hyper;
  std::string label = {};  // what they are, for people
};

/// What PyTorch's optimizer_state_dict holds. A parameter's index counts over all groups, in their
/// order.
struct AdamWState {
  struct Moments {
    Tensor step;                 // float [], steps this parameter has made
    Tensor exp_avg, exp_avg_sq;  // the parameter's shape and type
  };
  struct Group {
    AdamWHyperparameters hyper;
    std::vector<int64_t> indices;
    std::vector<std::string> names;  // empty in files that lack them
  };
  std::map<int64_t, Moments> moments;  // parameters that have made no step have none
  std::vector<Group> groups;
};

class AdamW {
 public:
  /// All parameters dense, of one floating type on one device. Throws Error if not, or if one is
  /// listed twice.
  explicit AdamW(std::vector<ParameterGroup> groups);

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  void set_lr(size_t group, double lr) { groups_.at(group).hyper.lr = lr; }

  /// One update from the parameters' .grad(). Parameters without a gradient are left alone, their
  /// decay included. Does not wait for the device.
  ///
  /// `skip`: float [] on the parameters' device, 1 or 0. Where it is 1, the device leaves
  /// parameters and moments as they are. A parameter whose first step is skipped has moments of
  /// zero from then on.
  void step(const std::optional<Tensor>& skip = {});

  /// Gives every parameter the moments that it would get in its first step, zero, so that the
  /// memory is taken at once. A later step is the same, but state() has the moments of parameters
  /// that have made none.
  void allocate_moments();

  /// The moments share memory with the optimizer: write them out before the next step.
  AdamWState state() const;
  /// Copies the moments in; hyperparameters stay as constructed. Throws Error naming what does not
  /// fit (groups, names, shapes).
  void load(const AdamWState& state);

 private:
  std::vector<ParameterGroup> groups_;
  std::vector<std::vector<AdamWState::Moments>>
      moments_;  // as groups_; undefined tensors before a parameter's first step
};

}  // namespace dfine::inline optim
