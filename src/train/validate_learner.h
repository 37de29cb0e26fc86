#pragma once
// Validation of what learns: the average of the weights, the weights themselves, and which of them
// are better.
#include <vector>

#include "config/config.h"
#include "state/checkpoint.h"
#include "train/learner.h"
#include "train/validate.h"

namespace dfine {

struct WeightsValidation {
  WeightsKind weights = WeightsKind::kRaw;
  Validation result;
};

/// Collective. Of the sets of weights that validate.weights means, the better one by
/// checkpoint.monitor first; the average's if they are equally good. Without an average only the
/// raw ones.
std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const Config& config, const Group& group);

}  // namespace dfine
