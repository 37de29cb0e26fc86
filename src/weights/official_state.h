#pragma once
// State dicts of the official code from and to published tensors.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tensor.h"
#include "weights/hf_config.h"

namespace dfine::inline weights {

/// Whether these are the names of a D-FINE model of the official code.
bool is_official_state(const std::map<std::string, Tensor>& tensors);

/// The tensors under their published names. Joined matrices are in three parts, reg_scale is
/// floating point (the official code has an integer), and what is derived is skipped. Tensors on
/// the meta device give such. Those that no official model has keep their names.
std::map<std::string, Tensor> from_official(const std::map<std::string, Tensor>& tensors);

/// All tensors of the official model's state_dict from those of ours by published name, so that its
/// load_state_dict() takes them with strict = True. That includes anchors for the description's
/// image size, and batch counters of the backbone: those given, else 0.
std::map<std::string, Tensor> to_official(const std::map<std::string, Tensor>& published,
                                          const ModelDescription& description);

/// Height and width of the images that the anchors of an official state dict are for. Nothing where
/// they are not those of a model with such strides.
struct AnchorSize {
  int64_t height, width;
};
std::optional<AnchorSize> anchor_size(const Tensor& anchors, const std::vector<int64_t>& strides);

}  // namespace dfine::inline weights
