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
      sampler = std::make_shared<const EpochSampler>(options_.num_images, options_.global_batch(),
                                                     options_.shuffle, options_.seed, epoch);
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

SampleOrder training_order(const TrainingOrderOptions& options, int rank, int64_t first_step) {
  const auto epochs = std::make_shared<EpochCache>(options);
  const int64_t steps_per_epoch = options.steps_per_epoch();
  return {.num_images = static_cast<size_t>(options.num_images),
          .num_batches = (options.total_steps - first_step) * options.micro_batches,
          .batch =
              [=](int64_t b) {
                const int64_t step = first_step + b / options.micro_batches;
                return epochs->at(step / steps_per_epoch)
                    ->batch(step % steps_per_epoch,
                            micro_batch_index(b % options.micro_batches, rank, options.ranks),
                            options.batch_size);
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
