#pragma once
// Validation of what learns: the EMA, the weights themselves, and which of them
// are better.
#include <functional>
#include <vector>

#include "eval/validate.h"
#include "learner/learner.h"
#include "train/checkpoint/run_state.h"
#include "train/plan/run_plan.h"

namespace dfine::inline train {

struct WeightsValidation {
  WeightsKind weights = WeightsKind::kRaw;
  Validation result;
};

/// Collective. Of the sets of weights that plan.weights means, the better one by
/// plan.monitor first; the EMA's if they are equally good. Without an EMA only the
/// raw ones. Nothing once `interrupted` is true, see validate().
std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const ValidationPlan& plan,
                                                const Communicator& group,
                                                const std::function<bool()>& interrupted);

}  // namespace dfine::inline train
