#pragma once
// Which sample comes when: pure functions of (seed, epoch, step), the same whatever the number of
// ranks and workers.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace dfine::inline input {

/// One sample of a batch.
struct Sample {
  size_t index = 0;      // image in the dataset
  int64_t position = 0;  // place in the epoch's global order; with the epoch it keys every random
                         // draw for this sample
};

/// Which of the ranks * micro-batches parts of a global batch is a rank's k-th micro-batch. All
/// ranks' first ones come before their second ones, so what the ranks forward at the same time are
/// the same samples for any number of ranks.
constexpr int64_t micro_batch_index(int64_t micro_batch, int rank, int ranks) {
  return micro_batch * ranks + rank;
}

/// The order of one training epoch, cut into global batches, and these into equal contiguous parts.
/// Samples that do not fill a last global batch are dropped from this epoch (the official loader's
/// drop_last); the shuffle of the next epoch brings them back.
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
  int64_t global_batch_, num_batches_;
  std::vector<int32_t> order_;
};

/// What a loader is to load.
struct LoadOrder {
  int64_t epoch = 0;      // keys the random numbers
  size_t num_images = 0;  // the first N of the dataset take part
  int64_t num_batches = 0;
  std::function<std::vector<Sample>(int64_t)> batch;  // of 0 .. num_batches - 1
  std::function<size_t(int64_t)>
      image_at;  // image at a place of the epoch's order; unset: nothing takes a sample's place
};

/// What `rank` trains on in `epoch` from global batch `first_batch` on: of each, `accumulate`
/// micro-batches of `batch_size` one after the other. The plan's global batch is ranks * accumulate
/// * batch_size.
LoadOrder training_order(EpochSampler plan, int64_t epoch, int64_t first_batch, int rank,
                         int64_t batch_size, int64_t accumulate = 1);

/// Every sample exactly once over all ranks, in file order: rank r's slice in batches of at most
/// `batch_size`.
LoadOrder evaluation_order(int64_t dataset_size, int rank, int ranks, int64_t batch_size);

}  // namespace dfine::inline input
