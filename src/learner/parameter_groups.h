#pragma once
// Which parameters the optimizer treats how: two learning rates (backbone and the rest), with and
// without weight decay.
#include <string>
#include <vector>

#include "model/dfine.h"
#include "optim/adamw.h"

namespace dfine::inline learner {

struct OptimizerOptions {
  double lr = 1e-4;
  double backbone_lr = 0;             // 0: lr
  double weight_decay = 1e-4;         // decoupled
  std::vector<std::string> no_decay;  // parameters without it, see parameter_groups()
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
};

/// The trained parameters by learning rate and weight decay, without empty groups: backbone
/// without decay, backbone, rest without decay, rest. A parameter is without decay if a pattern of
/// `no_decay` is found in "ROLE NAME" (model/parameter_roles.h), such as "encoder.norm.weight
/// model.encoder_input_proj.0.1.weight". Throws Error naming a pattern that is found in no
/// parameter.
std::vector<ParameterGroup> parameter_groups(const DFine& model, const OptimizerOptions& options);

/// A table for people: for each group what it is, tensors, parameters, learning rate, weight decay.
std::string describe_groups(const std::vector<ParameterGroup>& groups);

}  // namespace dfine::inline learner
