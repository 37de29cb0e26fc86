#pragma once
// Parts of a model that do not learn.
#include <string>
#include <vector>

#include "model/dfine.h"

namespace dfine::inline model {

/// Besides what `patterns` name, parts of the backbone.
struct FreezeOptions {
  bool backbone_norms = false;  // weight, bias and running statistics of its batch norms
  bool stem = false;            // parameters of its first convolutions and their norms; not the
                                // norms' running statistics
  bool backbone = false;        // all of it, with its norms
  std::vector<std::string> patterns = {};  // ECMAScript regular expressions on published names
};

/// Freezes parameters: they get no gradient. Of the patterns, every parameter in whose name one is
/// found; batch norms all of whose parameters they freeze keep their running statistics too. Names
/// and values stay. Throws Error naming a pattern that is no regular expression or is found in no
/// parameter's name, and when nothing is left to learn.
void freeze(DFine& model, const FreezeOptions& options);

/// What is frozen, by whatever setting, one line a part:
/// "model.backbone.model.encoder.stages.0-3.downsample.normalization", tensors, parameters. Numbers
/// in a name that differ between parts of one kind are joined to a range. Frozen batch norms count
/// with weight and bias. The decoder's two constants (`up`, `reg_scale`) are skipped. Empty if
/// nothing is frozen.
std::string describe_frozen(const DFine& model);

}  // namespace dfine::inline model
