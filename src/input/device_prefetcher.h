#pragma once
#include <memory>

#include "input/loader.h"

namespace dfine::inline input {

/// A loader's batches, their images on the device that trains. On a GPU, a batch that is ready is
/// copied by a separate stream while the step before it computes. Give the loader pinned memory
/// then. On the CPU they are the loader's own.
class DevicePrefetcher {
 public:
  /// `loader` must outlive this.
  DevicePrefetcher(Loader& loader, at::Device device);
  ~DevicePrefetcher();

  bool has_next() const;
  /// The current stream waits for the images, not the caller. The targets are in host memory.
  /// Batch::data_time_s: what the loader took.
  Batch next();

 private:
  struct Copies;
  Loader& loader_;
  std::unique_ptr<Copies> copies_;  // null on the CPU
};

}  // namespace dfine::inline input
