#include "learner/step.h"

#include <algorithm>
#include <utility>

#include <ATen/core/grad_mode.h>

#include "input/batch.h"
#include "input/sample_order.h"
#include "learner/autocast.h"
#include "learner/padding.h"
#include "model/denoising.h"

namespace dfine::inline learner {
namespace {

/// In one image, over all ranks.
int64_t most_boxes(std::span<const MicroBatch> parts, const Communicator& group) {
  int64_t most = 0;
  for (const MicroBatch& part : parts)
    for (const int64_t boxes : part.targets.counts) most = std::max(most, boxes);
  return group.max({most})[0];
}

/// Over all ranks.
LossNorms sum_over_ranks(const std::vector<Matchings>& matchings, const Communicator& group) {
  LossNorms mine;
  for (const Matchings& part : matchings) {
    mine.images += part.norms.images;
    mine.boxes += part.norms.boxes;
    mine.without_denoising += part.norms.without_denoising;
    mine.pairs += part.norms.pairs;
  }
  const auto all = group.sum({mine.images, mine.boxes, mine.without_denoising, mine.pairs});
  return {.images = all[0],
          .boxes = all[1],
          .without_denoising = all[2],
          .pairs = all[3],
          .ranks = static_cast<double>(group.size())};
}

/// A batch without any box lacks the terms of the denoising queries, which are the last.
void add(const Losses& loss, double share, Losses& sum) {
  Tensor longer = loss.values.detach() * share, shorter = sum.values;
  if (!shorter.defined()) {
    sum.values = longer;
  } else {
    if (longer.size(0) < shorter.size(0)) std::swap(longer, shorter);
    longer.narrow(0, 0, shorter.size(0)).add_(shorter);
    sum.values = longer;
  }
  if (loss.names.size() > sum.names.size()) sum.names = loss.names;
}

std::optional<at::ScalarType> sent_as(GradientCompression compression) {
  if (compression == GradientCompression::kBf16) return at::kBFloat16;
  return std::nullopt;
}

}  // namespace

TrainingStep::TrainingStep(DFine& model, const std::vector<Tensor>& trained,
                           const Criterion& criterion, const Communicator& group,
                           const TrainingStepOptions& options)
    : model_(model),
      criterion_(criterion),
      group_(group),
      options_(options),
      reducer_(trained, group, sent_as(options.compression)),
      buffers_(model) {}

StepLosses TrainingStep::run(const std::vector<MicroBatch>& parts, const StepKey& key,
                             const std::function<double()>& loss_scale) {
  buffers_.save();
  std::optional<double> scale;
  const auto scale_once = [&] {
    if (!scale) scale = loss_scale();
    return *scale;
  };
  StepLosses sum;
  const size_t together = options_.accumulation == GradientAccumulation::kExact ? parts.size() : 1;
  const double share = static_cast<double>(together) / static_cast<double>(parts.size());
  for (size_t first = 0; first < parts.size(); first += together) {
    accumulate({.parts = std::span(parts).subspan(first, together),
                .first = first,
                .last = first + together == parts.size()},
               key, share, scale_once, sum);
  }
  return sum;
}

void TrainingStep::accumulate(const Range& range, const StepKey& key, double share,
                              const std::function<double()>& loss_scale, StepLosses& sum) {
  const std::span<const MicroBatch> parts = range.parts;
  const int64_t most = most_boxes(parts, group_);
  std::vector<Targets> targets;
  const at::Device device = group_.device();
  for (const auto& [images, boxes] : parts) {
    targets.push_back(
        to_device(options_.padded ? pad(boxes, padded_boxes(most), device.is_cuda()) : boxes,
                  device, boxes.boxes.scalar_type()));
  }
  const auto forward_part = [&](size_t k) {
    return forward(parts[k].images, targets[k], range.first + k, most, key);
  };
  std::vector<Matchings> matchings(parts.size());
  for (size_t k = parts.size(); --k > 0;) {
    const at::NoGradGuard no_grad;
    matchings[k] = criterion_.match(forward_part(k), targets[k]);
  }
  if (parts.size() > 1) buffers_.restore();
  ModelOutput output = forward_part(0);
  matchings[0] = criterion_.match(output, targets[0]);
  const double factor = loss_scale() * share;
  const LossNorms norms = sum_over_ranks(matchings, group_);
  sum.without_denoising += static_cast<int64_t>(norms.without_denoising);

  for (size_t k = 0; k < parts.size(); ++k) {
    if (k > 0) output = forward_part(k);
    const Losses loss = criterion_.loss(output, targets[k], matchings[k], norms);
    add(loss, share, sum.losses);
    const Tensor scaled = loss.total() * factor;
    if (!range.last || k + 1 < parts.size()) {
      scaled.backward();
    } else {
      reducer_.backward(scaled);  // the ranks' mean of what has accumulated
    }
  }
}

ModelOutput TrainingStep::forward(const std::function<Tensor()>& images, const Targets& targets,
                                  size_t index, int64_t most_boxes, const StepKey& key) {
  const int64_t num_classes = model_.spec().num_classes, batch = targets.num_images();
  DenoisingQueries denoising;
  denoising.meta =
      denoising_meta(model_.spec().num_denoising, most_boxes, model_.spec().max_denoising_queries);
  if (options_.padded) denoising.meta = pad(denoising.meta, model_.spec(), targets.boxes_per_image);
  if (denoising.meta.num_queries() > 0) {
    const int64_t first =
        batch * micro_batch_index(static_cast<int64_t>(index), group_.rank(), group_.size());
    denoising.meta.kept = choose_denoised_boxes(targets, denoising.meta, key.seed,
                                                static_cast<uint64_t>(key.step), first);
    const auto draws = draw_denoising(key.seed, static_cast<uint64_t>(key.step), first, batch,
                                      denoising.meta, num_classes);
    denoising = make_denoising(targets, denoising.meta, draws, num_classes);
  }
  const Autocast autocast(group_.device().type(), options_.autocast);
  const WeightCopies::Use copies(copies_, options_.autocast);
  return model_.forward(images(), &denoising);
}

}  // namespace dfine::inline learner
