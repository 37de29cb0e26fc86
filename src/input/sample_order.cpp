#include "input/sample_order.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

namespace dfine::inline input {
namespace {

/// The orders of the epochs that are being loaded: a new one and the one before it.
class EpochCache {
 public:
  explicit EpochCache(const TrainingOrderOptions& options) : options_(options) {}

  std::shared_ptr<const EpochSampler> at(int64_t epoch) {
    const std::lock_guard lock(mutex_);
    auto& sampler = samplers_[epoch];
    if (!sampler) {
      sampler = std::make_shared<const EpochSampler>(options_.num_images, options_.shuffle,
                                                     options_.seed, epoch);
    }
    const auto found = sampler;
    while (samplers_.size() > 2) samplers_.erase(samplers_.begin());
    return found;
  }

 private:
  const TrainingOrderOptions options_;
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<const EpochSampler>> samplers_;
};

}  // namespace

DataPosition TrainingOrderOptions::after(DataPosition from, int64_t steps) const {
  for (int64_t left; steps >= (left = steps_left_in_epoch(from)); from = {from.epoch + 1, 0})
    steps -= left;
  return {from.epoch, from.samples + steps * global_batch()};
}

SampleOrder training_order(const TrainingOrderOptions& options, int rank, int64_t steps,
                           DataPosition from) {
  const auto epochs = std::make_shared<EpochCache>(options);
  const int64_t steps_left = options.steps_left_in_epoch(from),
                steps_per_epoch = options.steps_per_epoch();
  // As after(), without a walk over the epochs.
  const auto place = [=](int64_t step) -> DataPosition {
    if (step < steps_left) return {from.epoch, from.samples + step * options.global_batch()};
    const int64_t later = step - steps_left;
    return {from.epoch + 1 + later / steps_per_epoch,
            later % steps_per_epoch * options.global_batch()};
  };
  return {.num_images = static_cast<size_t>(options.num_images),
          .num_batches = steps * options.micro_batches,
          .batch =
              [=](int64_t b) {
                const DataPosition begin = place(b / options.micro_batches);
                const int64_t part =
                    micro_batch_index(b % options.micro_batches, rank, options.ranks);
                return epochs->at(begin.epoch)
                    ->samples(begin.samples + part * options.batch_size, options.batch_size);
              },
          .replacement =
              [=](const Sample& sample, int64_t k) {
                return epochs->at(sample.epoch)->image_at(sample.position + k);
              }};
}

SampleOrder evaluation_order(int64_t dataset_size, int rank, int ranks, int64_t batch_size) {
  const int64_t first = dataset_size * rank / ranks, last = dataset_size * (rank + 1) / ranks;
  return {.num_images = static_cast<size_t>(dataset_size),
          .num_batches = (last - first + batch_size - 1) / batch_size,
          .batch =
              [=](int64_t b) {
                std::vector<Sample> samples;
                const int64_t begin = first + b * batch_size;
                for (int64_t i = begin; i < std::min(begin + batch_size, last); ++i)
                  samples.push_back({static_cast<size_t>(i), i});
                return samples;
              },
          .replacement = nullptr};
}

}  // namespace dfine::inline input
