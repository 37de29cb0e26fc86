#include "train/checks/crowding.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "augment/augmenter.h"
#include "input/epoch_sampler.h"
#include "model/denoising.h"

namespace dfine::inline checks {

Crowding plain_crowding(const std::vector<int32_t>& boxes_of_image, int64_t batch_size) {
  std::vector<int32_t> largest(std::min(boxes_of_image.size(), static_cast<size_t>(batch_size)));
  if (largest.empty()) return {};
  std::partial_sort_copy(boxes_of_image.begin(), boxes_of_image.end(), largest.begin(),
                         largest.end(), std::greater<>());
  return {.image = largest.front(),
          .batch = std::accumulate(largest.begin(), largest.end(), int64_t{0})};
}

Crowding training_crowding(const FeedOptions& feed, const std::vector<int32_t>& boxes_of_image,
                           int64_t part, int64_t parts) {
  const int64_t batch_size = feed.order.batch_size, total_steps = feed.total_steps;
  Crowding most = plain_crowding(boxes_of_image, batch_size);
  const SampleOptions& sample = feed.loader.sample;
  if (!sample.augment || !joins_images(*sample.augment)) return most;

  const int64_t steps_per_epoch = feed.order.steps_per_epoch(),
                global_batch = feed.order.global_batch();
  const Augmenter augmenter(*sample.augment, sample.seed, sample.stage2_epoch);
  const auto boxes_of = [&](size_t image) { return int64_t{boxes_of_image[image]}; };
  const int64_t epochs = (total_steps + steps_per_epoch - 1) / steps_per_epoch;
  for (int64_t epoch = part; epoch < epochs; epoch += parts) {
    if (!joins_images(augmenter.config_at(epoch))) break;  // nor later: it is stage 2
    const EpochSampler plan(static_cast<int64_t>(boxes_of_image.size()), feed.order.shuffle,
                            feed.order.seed, epoch);
    const int64_t steps = std::min(steps_per_epoch, total_steps - epoch * steps_per_epoch);
    int64_t in_batch = 0;
    for (int64_t position = 0; position < steps * global_batch; ++position) {
      if (position % batch_size == 0) in_batch = 0;
      int64_t in_image = boxes_of(plan.image_at(position));
      for (const size_t partner : augmenter.plan({epoch, position}, boxes_of_image.size()).partners)
        in_image += boxes_of(partner);
      in_batch += in_image;
      most = {.image = std::max(most.image, in_image), .batch = std::max(most.batch, in_batch)};
    }
  }
  return most;
}

std::vector<int64_t> most_expensive_counts(const Crowding& most, int64_t images,
                                           int64_t num_denoising, int64_t max_denoising_queries) {
  const auto queries = [&](int64_t boxes) {
    return denoising_meta(num_denoising, boxes, max_denoising_queries).num_queries();
  };
  int64_t crowded = most.image;
  for (int64_t boxes = most.image; boxes > 0; --boxes) {
    if (queries(boxes) > queries(crowded)) crowded = boxes;
  }
  std::vector<int64_t> counts(static_cast<size_t>(images), 0);
  counts[0] = crowded;
  const int64_t left = std::min(most.batch, images * crowded) - crowded, others = images - 1;
  for (int64_t i = 0; i < others; ++i)
    counts[static_cast<size_t>(i + 1)] = left / others + (i < left % others ? 1 : 0);
  return counts;
}

}  // namespace dfine::inline checks
