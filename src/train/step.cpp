#include "train/step.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "input/plan.h"
#include "model/denoising.h"
#include "train/autocast.h"

namespace dfine {
namespace {

/// Over all ranks and micro-batches; one small all-reduce.
GlobalCounts count(const std::vector<MicroBatch>& parts, const Group& group) {
  int64_t images = 0, boxes = 0, most = 0;
  for (const MicroBatch& part : parts) {
    images += part.targets.num_images();
    boxes += part.targets.num_boxes();
    for (const int64_t of_image : part.targets.counts) most = std::max(most, of_image);
  }
  const auto sums = group.sum({static_cast<double>(images), static_cast<double>(boxes)});
  return {.images = static_cast<int64_t>(sums[0]), .boxes = static_cast<int64_t>(sums[1]), .max_boxes = group.max({most})[0]};
}

LossCounts count(const std::vector<Matchings>& matchings, const GlobalCounts& batch, const Group& group) {
  int64_t pairs = 0;
  for (const Matchings& part : matchings) pairs += part.go_pairs();
  const double all = group.sum({static_cast<double>(pairs)}).front();
  return {.batch = batch, .go_pairs = static_cast<int64_t>(all), .ranks = group.size()};
}

}  // namespace

TrainingStep::TrainingStep(DFine& model, const std::vector<Tensor>& trained, const Criterion& criterion, const Group& group,
                           std::optional<at::ScalarType> autocast)
    : model_(model), criterion_(criterion), group_(group), autocast_(autocast), reducer_(trained, group), buffers_(model) {}

LossTerms TrainingStep::run(const std::vector<MicroBatch>& parts, const StepKey& key, double loss_scale) {
  buffers_.save();
  const GlobalCounts batch = count(parts, group_);

  std::vector<Matchings> matchings(parts.size());
  for (size_t k = parts.size(); --k > 0;) {
    const at::NoGradGuard no_grad;
    matchings[k] = criterion_.match(forward(parts[k], k, batch, key), parts[k].targets);
  }
  if (parts.size() > 1) buffers_.restore();
  ModelOutput output = forward(parts[0], 0, batch, key);
  matchings[0] = criterion_.match(output, parts[0].targets);
  const LossCounts counts = count(matchings, batch, group_);

  LossTerms terms;
  for (size_t k = 0; k < parts.size(); ++k) {
    if (k > 0) output = forward(parts[k], k, batch, key);
    const LossResult loss = criterion_.loss(output, parts[k].targets, matchings[k], counts);
    terms.names = loss.names;
    terms.values = k == 0 ? loss.terms.detach() : terms.values + loss.terms.detach();
    const Tensor scaled = loss.total * loss_scale;
    if (k + 1 < parts.size()) {
      scaled.backward();
    } else {
      reducer_.backward(scaled);  // the ranks' mean of what has accumulated
    }
  }
  return terms;
}

ModelOutput TrainingStep::forward(const MicroBatch& part, size_t index, const GlobalCounts& counts, const StepKey& key) {
  const int64_t num_classes = model_.spec().num_classes, images = part.targets.num_images();
  DenoisingQueries denoising;
  denoising.meta = denoising_meta(model_.spec().num_denoising, counts.max_boxes);
  if (denoising.meta.groups > 0) {
    const int64_t first = images * batch_part(static_cast<int64_t>(index), group_.rank(), group_.size());
    const auto draws = draw_denoising(key.seed, static_cast<uint64_t>(key.step), first, images, denoising.meta, num_classes);
    denoising = make_denoising(part.targets, denoising.meta, draws, num_classes);
  }
  const Autocast autocast(group_.device().type(), autocast_);
  return model_.forward(part.images(), &denoising);
}

}  // namespace dfine
