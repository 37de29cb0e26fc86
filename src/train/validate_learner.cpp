#include "train/validate_learner.h"

#include <algorithm>
#include <utility>

#include "eval/monitor.h"

namespace dfine::inline train {

std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const ValidationPlan& plan,
                                                const Communicator& group,
                                                const std::function<bool()>& interrupted) {
  const auto validate_model = [&] {
    return validate(learner.model(), dataset, plan.options, group, interrupted);
  };
  std::vector<WeightsValidation> found;
  if (learner.ema() != nullptr && plan.weights != ValidatedWeights::kRaw) {
    auto result = with_ema_weights(*learner.ema(), validate_model);
    if (!result) return {};
    found.push_back({WeightsKind::kEma, std::move(*result)});
  }
  if (learner.ema() == nullptr || plan.weights != ValidatedWeights::kEma) {
    auto result = validate_model();
    if (!result) return {};
    found.push_back({WeightsKind::kRaw, std::move(*result)});
  }

  if (found.size() == 2 &&
      is_better(plan.monitor, found[1].result.score(), found[0].result.score()))
    std::swap(found[0], found[1]);
  return found;
}

}  // namespace dfine::inline train
