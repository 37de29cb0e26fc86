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

/// The order of one training epoch, cut into global batches, and these into equal contiguous parts.
/// Samples that do not fill a last global batch are dropped from this epoch (the official loader's
/// drop_last). The shuffle of the next epoch brings them back.
class EpochSampler {
 public:
  /// Fisher-Yates shuffle keyed by (seed, epoch), or file order without `shuffle`.
  EpochSampler(int64_t dataset_size, int64_t global_batch, bool shuffle, uint64_t seed,
               int64_t epoch);

  size_t num_images() const { return order_.size(); }
  int64_t global_batch() const { return global_batch_; }
  int64_t num_batches() const { return num_batches_; }

  /// The `batch_size` samples of part `part` of global batch `batch`: the part of a rank, or of one
  /// of its micro-batches (micro_batch_index).
  std::vector<Sample> batch(int64_t batch, int64_t part, int64_t batch_size) const;

  /// The image at a place of the order; after the last comes the first again.
  size_t image_at(int64_t position) const {
    return static_cast<size_t>(order_[static_cast<size_t>(position) % order_.size()]);
  }

 private:
  int64_t epoch_, global_batch_, num_batches_;
  std::vector<int32_t> order_;
};

}  // namespace dfine::inline input
