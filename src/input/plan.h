#pragma once
// Which sample comes when: pure functions of (seed, epoch, step), the same whatever the number of ranks and workers.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dfine {

/// One sample of a batch.
struct Sample {
  size_t index = 0;      // image in the data set
  int64_t position = 0;  // place in the epoch's global order; with the epoch it keys every random draw for this sample
};

/// The order of one training epoch, cut into global batches of ranks * batch_size; a rank takes its contiguous part of each.
/// Samples that do not fill a last global batch are left out of this epoch (the official loader's drop_last); the shuffle of the
/// next epoch brings them back.
class TrainPlan {
 public:
  /// Fisher-Yates shuffle keyed by (seed, epoch), or file order without `shuffle`.
  TrainPlan(int64_t dataset_size, int64_t global_batch, bool shuffle, uint64_t seed, int64_t epoch);

  int64_t num_batches() const { return num_batches_; }

  /// The `batch_size` samples of `rank` in global batch `batch`; ranks * batch_size is the plan's global batch.
  std::vector<Sample> batch(int64_t batch, int rank, int64_t batch_size) const;

 private:
  int64_t global_batch_, num_batches_;
  std::vector<int32_t> order_;
};

/// Every sample exactly once over all ranks, in file order: rank r's slice in batches of at most `batch_size`.
std::vector<std::vector<Sample>> evaluation_plan(int64_t dataset_size, int rank, int ranks, int64_t batch_size);

}  // namespace dfine
