#pragma once
// The order of the samples in one training epoch.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine::inline input {

/// One sample of a batch.
struct Sample {
  size_t index = 0;      // image in the dataset
  int64_t position = 0;  // place in the epoch's global order
  int64_t epoch = 0;     // with the position it keys every random draw for this sample
};

/// The order of one training epoch. Steps take contiguous global batches of it, ranks and their
/// micro-batches contiguous parts of those. Samples that do not fill a last global batch are
/// dropped from this epoch (the official loader's drop_last). The shuffle of the next epoch brings
/// them back.
class EpochSampler {
 public:
  /// Fisher-Yates shuffle keyed by (seed, epoch), or file order without `shuffle`.
  EpochSampler(int64_t dataset_size, bool shuffle, uint64_t seed, int64_t epoch);

  size_t num_images() const { return order_.size(); }

  /// The `count` samples from place `first` on.
  std::vector<Sample> samples(int64_t first, int64_t count) const;

  /// The image at a place of the order; after the last comes the first again.
  size_t image_at(int64_t position) const {
    return static_cast<size_t>(order_[static_cast<size_t>(position) % order_.size()]);
  }

 private:
  int64_t epoch_;
  std::vector<int32_t> order_;
};

}  // namespace dfine::inline input
