#include "input/epoch_sampler.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace dfine::inline input {

EpochSampler::EpochSampler(int64_t dataset_size, int64_t global_batch, bool shuffle, uint64_t seed,
                           int64_t epoch)
    : global_batch_(global_batch),
      num_batches_(dataset_size / global_batch),
      order_(static_cast<size_t>(dataset_size)) {
  std::iota(order_.begin(), order_.end(), 0);
  if (!shuffle) return;
  CounterRandom random(seed, Stream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

std::vector<Sample> EpochSampler::batch(int64_t batch, int64_t part, int64_t batch_size) const {
  std::vector<Sample> samples;
  samples.reserve(static_cast<size_t>(batch_size));
  const int64_t first = batch * global_batch_ + part * batch_size;
  for (int64_t p = first; p < first + batch_size; ++p)
    samples.push_back({static_cast<size_t>(order_[static_cast<size_t>(p)]), p});
  return samples;
}

LoadOrder training_order(EpochSampler plan, int64_t epoch, int64_t first_batch, int rank,
                         int64_t batch_size, int64_t accumulate) {
  const auto shared = std::make_shared<const EpochSampler>(std::move(plan));
  const auto ranks = static_cast<int>(shared->global_batch() / (accumulate * batch_size));
  return {.epoch = epoch,
          .num_images = shared->num_images(),
          .num_batches = (shared->num_batches() - first_batch) * accumulate,
          .batch =
              [=](int64_t b) {
                return shared->batch(first_batch + b / accumulate,
                                     micro_batch_index(b % accumulate, rank, ranks), batch_size);
              },
          .image_at = [=](int64_t position) { return shared->image_at(position); }};
}

LoadOrder evaluation_order(int64_t dataset_size, int rank, int ranks, int64_t batch_size) {
  const int64_t first = dataset_size * rank / ranks, last = dataset_size * (rank + 1) / ranks;
  return {.epoch = 0,
          .num_images = static_cast<size_t>(dataset_size),
          .num_batches = (last - first + batch_size - 1) / batch_size,
          .batch =
              [=](int64_t b) {
                std::vector<Sample> samples;
                const int64_t begin = first + b * batch_size;
                for (int64_t i = begin; i < std::min(begin + batch_size, last); ++i)
                  samples.push_back({static_cast<size_t>(i), i});
                return samples;
              },
          .image_at = nullptr};
}

}  // namespace dfine::inline input
