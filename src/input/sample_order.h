#pragma once
// Which sample comes when, over a whole run. The order is a pure function of (seed, step), the same
// for any number of ranks and workers, and wherever a run was interrupted.
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

struct TrainingOrderOptions {
  int64_t num_images = 0;     // the first N of the dataset take part
  bool shuffle = true;        // a new order each epoch
  uint64_t seed = 0;          // of the order
  int64_t batch_size = 1;     // images of one micro-batch of one rank
  int64_t micro_batches = 1;  // of a step
  int ranks = 1;
  int64_t total_steps = 0;  // of the run, over all epochs

  int64_t global_batch() const { return batch_size * micro_batches * ranks; }
  int64_t steps_per_epoch() const { return num_images / global_batch(); }
};

/// What `rank` trains on from `first_step` (from 0) on: step by step the micro-batches of its part
/// of the global batch.
SampleOrder training_order(const TrainingOrderOptions& options, int rank, int64_t first_step);

/// Every sample exactly once over all ranks, in file order: rank r's slice in batches of at most
/// `batch_size`.
SampleOrder evaluation_order(int64_t dataset_size, int rank, int ranks, int64_t batch_size);

}  // namespace dfine::inline input
