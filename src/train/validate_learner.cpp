#include "train/validate_learner.h"

#include <algorithm>
#include <utility>

#include "eval/monitor.h"
#include "input/loader.h"

namespace dfine::inline train {

std::vector<WeightsValidation> validate_learner(Learner& learner, const PackedDataset& dataset,
                                                const Config& config, const Communicator& group) {
  const ValidationOptions options{
      loader_options(config, false, group.device().is_cuda()),
      config.validate.batch_size > 0 ? config.validate.batch_size : config.data.batch_size,
      config.data.max_images};
  std::vector<WeightsValidation> found;
  if (learner.ema() != nullptr && config.validate.weights != ValidatedWeights::kRaw) {
    const EmaInPlace averaged(*learner.ema());
    found.push_back({WeightsKind::kEma, validate(learner.model(), dataset, options, group)});
  }
  if (learner.ema() == nullptr || config.validate.weights != ValidatedWeights::kEma)
    found.push_back({WeightsKind::kRaw, validate(learner.model(), dataset, options, group)});

  const Monitor monitor = config.checkpoint.monitor;
  if (found.size() == 2 && is_better(monitor, found[1].result.score(), found[0].result.score()))
    std::swap(found[0], found[1]);
  return found;
}

}  // namespace dfine::inline train
