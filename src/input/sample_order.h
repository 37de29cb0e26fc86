#pragma once
// Which sample comes when, over a whole run. The order of an epoch is a pure function of (seed,
// epoch). How ranks, workers and batches cut it, and where a run was interrupted, does not change
// it.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "input/epoch_sampler.h"

namespace dfine::inline input {

/// What one rank loads, batch by batch. Its functions may be called from any thread.
struct SampleOrder {
  size_t num_images = 0;                              // the first N of the dataset take part
  int64_t num_batches = 0;                            // of this rank
  std::function<std::vector<Sample>(int64_t)> batch;  // of 0 .. num_batches - 1
  /// The image that takes the place of a damaged one: the k-th candidate, k >= 1. Unset: none does.
  std::function<size_t(const Sample&, int64_t k)> replacement;
};

/// Which of the ranks * micro-batches parts of a global batch is a rank's k-th micro-batch. All
/// ranks' first ones come before their second ones. So what the ranks forward at the same time are
/// the same samples for any number of ranks.
constexpr int64_t micro_batch_index(int64_t micro_batch, int rank, int ranks) {
  return micro_batch * ranks + rank;
}

/// A place in the data of a run.
struct DataPosition {
  int64_t epoch = 0;    // epochs completed
  int64_t samples = 0;  // samples done of the epoch after those

  bool operator==(const DataPosition&) const = default;
};

struct TrainingOrderOptions {
  int64_t num_images = 0;     // the first N of the dataset take part
  bool shuffle = true;        // a new order each epoch
  uint64_t seed = 0;          // of the order
  int64_t batch_size = 1;     // images of one micro-batch of one rank
  int64_t micro_batches = 1;  // of a step
  int ranks = 1;

  int64_t global_batch() const { return batch_size * micro_batches * ranks; }
  int64_t steps_per_epoch() const { return num_images / global_batch(); }
  /// Global batches between `from` and the end of its epoch. What does not fill one is dropped.
  int64_t steps_left_in_epoch(DataPosition from) const {
    return (num_images - from.samples) / global_batch();
  }
  /// The place `steps` global batches after `from`. An epoch is complete when its rest fills no
  /// global batch.
  DataPosition after(DataPosition from, int64_t steps = 1) const;
};

/// What `rank` trains on for `steps` steps from `from` on: step by step the micro-batches of its
/// part of the global batch.
SampleOrder training_order(const TrainingOrderOptions& options, int rank, int64_t steps,
                           DataPosition from = {});

/// Every sample exactly once over all ranks, in file order: rank r's slice in batches of at most
/// `batch_size`.
SampleOrder evaluation_order(int64_t dataset_size, int rank, int ranks, int64_t batch_size);

}  // namespace dfine::inline input
