#pragma once
// What each parameter is, for recipes that treat norms, biases and the backbone differently. The
// published names tell that only in part: some norms are called `model.encoder_input_proj.0.1`.
#include <string>
#include <vector>

#include "model/dfine.h"
#include "tensor.h"

namespace dfine::inline model {

struct RoledParameter {
  /// PART.norm.weight, PART.norm.bias, PART.weight, PART.bias; PART: backbone, encoder (its input
  /// projections too) or decoder (everything else). A norm is a batch or layer norm. What a name
  /// ends with is kept: the backbone's affine blocks have backbone.scale and backbone.bias.
  std::string role;
  std::string name;  // as published
  Tensor parameter;

  bool in_backbone() const { return role.starts_with("backbone."); }
};

/// All parameters, frozen ones included, in the model's order.
std::vector<RoledParameter> parameter_roles(const DFine& model);

}  // namespace dfine::inline model
