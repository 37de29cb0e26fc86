#include "train/validate_learner.h"

#include <algorithm>
#include <utility>

#include "eval/monitor.h"

namespace dfine::inline train {

std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const ValidationPlan& plan,
                                                const Communicator& group) {
  const auto validate_model = [&] {
    return validate(learner.model(), dataset, plan.options, group);
  };
  std::vector<WeightsValidation> found;
  if (learner.ema() != nullptr && plan.weights != ValidatedWeights::kRaw) {
    found.push_back({WeightsKind::kEma, with_ema_weights(*learner.ema(), validate_model)});
  }
  if (learner.ema() == nullptr || plan.weights != ValidatedWeights::kEma)
    found.push_back({WeightsKind::kRaw, validate_model()});

  if (found.size() == 2 &&
      is_better(plan.monitor, found[1].result.score(), found[0].result.score()))
    std::swap(found[0], found[1]);
  return found;
}

}  // namespace dfine::inline train
