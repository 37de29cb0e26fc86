#include "input/epoch_sampler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace dfine::inline input {

EpochSampler::EpochSampler(int64_t dataset_size, bool shuffle, uint64_t seed, int64_t epoch)
    : epoch_(epoch), order_(static_cast<size_t>(dataset_size)) {
  std::iota(order_.begin(), order_.end(), 0);
  if (!shuffle) return;
  CounterRandom random(seed, Stream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

std::vector<Sample> EpochSampler::samples(int64_t first, int64_t count) const {
  std::vector<Sample> samples;
  samples.reserve(static_cast<size_t>(count));
  for (int64_t p = first; p < first + count; ++p)
    samples.push_back({static_cast<size_t>(order_[static_cast<size_t>(p)]), p, epoch_});
  return samples;
}

}  // namespace dfine::inline input
