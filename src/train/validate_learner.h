#pragma once
// Validation of what learns: the EMA, the weights themselves, and which of them
// are better.
#include <vector>

#include "config/config.h"
#include "eval/validate.h"
#include "learner/learner.h"
#include "train/run/checkpoint.h"

namespace dfine::inline train {

struct WeightsValidation {
  WeightsKind weights = WeightsKind::kRaw;
  Validation result;
};

/// Collective. Of the sets of weights that validate.weights means, the better one by
/// checkpoint.monitor first; the EMA's if they are equally good. Without an EMA only the
/// raw ones.
std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const Config& config, const Communicator& group);

}  // namespace dfine::inline train
