#pragma once
// Batches of a packed dataset, made by worker threads, in an order that timing does not change.
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "core/error.h"
#include "input/batch.h"
#include "input/detection_dataset.h"
#include "input/sample_order.h"

namespace dfine {
class ThreadPool;
}  // namespace dfine

namespace dfine::inline input {

struct LoaderOptions {
  SampleOptions sample;
  int workers = 0;     // threads beside the caller's; 0 loads in the caller's thread, for debugging
  int read_ahead = 0;  // batches after those being loaded whose files the system is asked to fetch
  bool pin_memory = false;    // page-locked host memory, for copies to a GPU that do not block
  bool skip_corrupt = false;  // another image takes a damaged one's place, see Loader::next
  int64_t max_corrupt = 0;    // different images that may be damaged then
};

class Loader {
 public:
  /// Begins to load the batches of `order`. `dataset` must outlive the loader.
  Loader(const PackedDataset& dataset, LoaderOptions options, SampleOrder order);
  ~Loader();

  int64_t num_batches() const { return order_.num_batches; }
  bool has_next() const { return taken_ < order_.num_batches; }
  /// Whether next() would not wait; with workers only.
  bool ready() const;

  /// The next batch; an Error of a worker (a damaged record, say) is thrown here.
  /// Batch::data_time_s says how long it blocked.
  ///
  /// With skip_corrupt the place of a damaged image is taken by the first sound one of
  /// SampleOrder::replacement(), with the place's own random numbers. So the number of steps and
  /// the shape of batches stay, and what comes depends on nothing but which records are damaged.
  Batch next();

  /// The damaged images that next() has skipped, and those of count_corrupt().
  const std::set<size_t>& corrupt() const { return corrupt_; }
  /// Counts these images as damaged. Throws an Error when corrupt() has more than max_corrupt then.
  /// For what other ranks found.
  void count_corrupt(const std::vector<size_t>& images);

 private:
  struct Pending;
  void fill();
  void load_sample(Pending& batch, size_t slot);
  void report_corrupt(const Pending& batch);
  Error too_many_corrupt(size_t last) const;
  Tensor image_buffer(int64_t count);
  std::unique_ptr<SampleScratch> take_scratch();

  const PackedDataset& dataset_;
  const LoaderOptions options_;
  const DetectionDataset detection_dataset_;
  const SampleOrder order_;
  std::deque<std::unique_ptr<Pending>> pending_;
  int64_t started_ = 0, announced_ = 0, taken_ = 0;  // batches
  std::set<size_t> corrupt_;                         // images skipped
  std::mutex scratch_mutex_;
  std::vector<std::unique_ptr<SampleScratch>>
      free_scratch_;  // those not in use; as many as threads at most
  // Last, so that it ends first, also where the constructor throws: its jobs write into all above.
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace dfine::inline input
