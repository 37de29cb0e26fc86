#include "train/step.h"

#include <algorithm>

#include "model/denoising.h"

namespace dfine {

GlobalCounts global_counts(const Targets& targets, const Group& group) {
  const int64_t most = targets.counts.empty() ? 0 : *std::max_element(targets.counts.begin(), targets.counts.end());
  const auto sums = group.sum({static_cast<double>(targets.num_images()), static_cast<double>(targets.num_boxes())});
  return {.images = static_cast<int64_t>(sums[0]), .boxes = static_cast<int64_t>(sums[1]), .max_boxes = group.max({most})[0]};
}

LossResult forward_backward(DFine& model, const Criterion& criterion, GradientReducer& reducer, const Group& group, const Tensor& images,
                            const Targets& targets, const StepKey& key) {
  const GlobalCounts counts = global_counts(targets, group);
  const int64_t num_classes = model.spec().num_classes;

  DenoisingQueries denoising;
  denoising.meta = denoising_meta(model.spec().num_denoising, counts.max_boxes);
  if (denoising.meta.groups > 0) {
    const auto draws =
        draw_denoising(key.seed, static_cast<uint64_t>(key.step), key.first_sample, targets.num_images(), denoising.meta, num_classes);
    denoising = make_denoising(targets, denoising.meta, draws, num_classes);
  }

  const ModelOutput output = model.forward(images, &denoising);
  LossResult loss = criterion(output, targets, counts, group);
  reducer.backward(loss.total);
  return loss;
}

}  // namespace dfine
