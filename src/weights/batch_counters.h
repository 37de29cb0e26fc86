#pragma once
// The batch counters (num_batches_tracked) of the backbone's norms. The official code has them,
// published files do not. They change nothing in a model. Weights that go from the official layout
// to the hub's and back keep them in the free text of model.safetensors.
#include <map>
#include <string>

#include "tensor.h"

namespace dfine::inline weights {

/// The entry of the file's free text.
inline constexpr const char* kBackboneBatches = "backbone_num_batches_tracked";

bool is_backbone_counter(const std::string& published);

/// The values of all counters of the backbone, in the order of their names: "120,120". Empty
/// without counters.
std::string counters_text(const std::map<std::string, Tensor>& published);

/// Adds the counters that counters_text() wrote, one for each norm of the backbone. A text that
/// does not fit adds nothing.
void add_counters(const std::string& text, std::map<std::string, Tensor>& published);

}  // namespace dfine::inline weights
