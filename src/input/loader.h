#pragma once
// Batches of a packed data set, decoded, flipped and resized by worker threads, in an order that timing does not change.
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <vector>

#include "input/batch.h"
#include "input/plan.h"

namespace dfine {

class PackedDataset;
class ThreadPool;

struct LoaderOptions {
  int height = 640, width = 640;  // every image is resized to this, aspect ratio not kept (official)
  int workers = 0;                // threads beside the caller's; 0 loads in the caller's thread, for debugging
  int prefetch = 3;               // batches in flight
  double flip_probability = 0;    // horizontal flip, drawn from (seed, epoch, sample position)
  uint64_t seed = 0;
  bool pin_memory = false;  // page-locked host memory, for copies to a GPU that do not block
};

class Loader {
 public:
  /// `dataset` must outlive the loader.
  Loader(const PackedDataset& dataset, LoaderOptions options);
  ~Loader();

  /// Begins to load these batches in this order; batches of an earlier call that were not taken are dropped.
  void start(std::vector<std::vector<Sample>> batches, int64_t epoch);

  bool has_next() const { return taken_ < static_cast<int64_t>(batches_.size()); }

  /// The next batch; an Error of a worker (a damaged record, say) is thrown here. Batch::wait_s says how long it blocked.
  Batch next();

 private:
  struct Pending;
  void fill();
  void load_image(Pending& batch, size_t slot) const;

  const PackedDataset& dataset_;
  LoaderOptions options_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<std::vector<Sample>> batches_;
  std::deque<std::unique_ptr<Pending>> pending_;
  int64_t epoch_ = 0, started_ = 0, taken_ = 0;
};

}  // namespace dfine
