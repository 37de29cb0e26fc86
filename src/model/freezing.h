#pragma once
// Parts of a model that do not learn, chosen by name.
#include <string>
#include <vector>

#include "model/dfine.h"

namespace dfine::inline model {

/// Freezes every parameter in whose published name one of `patterns` (ECMAScript regular
/// expressions) is found: it gets no gradient. Batch norms all of whose parameters are frozen then
/// keep their running statistics too. Throws Error naming a pattern that is no regular expression
/// or is found in no tensor's name, and when nothing is left to learn.
void freeze(DFine& model, const std::vector<std::string>& patterns);

/// What is frozen, by whatever setting, one line a part:
/// "model.backbone.model.encoder.stages.0-3.downsample.normalization", tensors, parameters. Numbers
/// in a name that differ between parts of one kind are joined to a range. Frozen batch norms count
/// with weight and bias. The decoder's two constants (`up`, `reg_scale`) are skipped. Empty if
/// nothing is frozen.
std::string describe_frozen(const DFine& model);

}  // namespace dfine::inline model
