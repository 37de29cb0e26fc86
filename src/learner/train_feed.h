#pragma once
// What a run trains on: the batches of each optimizer step, in order, from epoch to epoch.
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image_size.h"
#include "distributed/communicator.h"
#include "input/device_prefetcher.h"
#include "input/loader.h"
#include "input/multiscale.h"

namespace dfine::inline shards {
class PackedDataset;
}  // namespace dfine::inline shards

namespace dfine::inline learner {

struct FeedOptions {
  TrainingOrderOptions order;
  LoaderOptions loader;
  MultiScaleOptions sizes;
  int64_t total_steps = 0;  // of the whole run at this global batch
};

/// One optimizer step's data of this rank.
struct StepInput {
  std::vector<Batch> batches;  // TrainingOrderOptions::micro_batches of them
  ImageSize size;              // that their images are to be resized to
  double data_time_s = 0;      // seconds the caller waited for them
};

/// Which steps a feed is for.
struct FeedRange {
  DataPosition from = {};
  int64_t first_step = 0;  // the run's number of the step at `from`, from 0: it keys the image size
  int64_t steps = 0;       // until the end of the run
};

class TrainFeed {
 public:
  /// `dataset` must outlive this.
  TrainFeed(const PackedDataset& dataset, const FeedOptions& options, const FeedRange& range,
            const Communicator& group);

  /// The data of the next step, of FeedRange::steps in all.
  StepInput next();

  /// Damaged images that this rank knows of: those it has skipped and those of share_corrupt().
  int64_t num_corrupt() const { return static_cast<int64_t>(loader_.corrupt().size()); }
  /// Collective, after each step, with the largest num_corrupt() of a rank. Where that has grown,
  /// the ranks tell each other which images they are, so that data.max_corrupt is a limit of the
  /// whole job. Throws Error beyond it.
  void share_corrupt(int64_t most);

 private:
  const FeedOptions options_;
  const Communicator group_;
  const MultiScaleSampler sizes_;
  Loader loader_;
  DevicePrefetcher batches_;
  DataPosition position_;       // of the step whose batches come next
  int64_t step_;                // its number
  int64_t shared_corrupt_ = 0;  // damaged images that all ranks know of
};

}  // namespace dfine::inline learner
