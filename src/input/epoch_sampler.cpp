#include "input/epoch_sampler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace dfine::inline input {

EpochSampler::EpochSampler(int64_t dataset_size, int64_t global_batch, bool shuffle, uint64_t seed,
                           int64_t epoch)
    : epoch_(epoch),
      global_batch_(global_batch),
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
    samples.push_back({static_cast<size_t>(order_[static_cast<size_t>(p)]), p, epoch_});
  return samples;
}

}  // namespace dfine::inline input
