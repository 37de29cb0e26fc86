#include "input/device_prefetcher.h"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <optional>
#include <utility>

namespace dfine::inline input {

struct DevicePrefetcher::Copies {
  struct Staged {
    Batch batch;
    c10::Event done;
  };

  explicit Copies(at::Device d)
      : device(d), guard(d.type()), stream(guard.getStreamFromGlobalPool(d)) {}

  void stage(Loader& loader) {
    Batch batch = loader.next();
    const c10::StreamGuard on_copy_stream(stream);
    batch.images = batch.images.to(device, /*non_blocking=*/true);
    staged.emplace(Staged{std::move(batch), c10::Event(device.type())});
    staged->done.record(stream);
  }

  Batch take() {
    const c10::Stream current = guard.getStream(device);
    staged->done.block(current);
    Batch batch = std::move(staged->batch);
    staged.reset();
    // The memory belongs to the copy stream: it must not be given to the next copy before the
    // current stream is done with it.
    batch.images.record_stream(current);
    return batch;
  }

  at::Device device;
  c10::impl::VirtualGuardImpl guard;
  c10::Stream stream;
  std::optional<Staged> staged;
};

DevicePrefetcher::DevicePrefetcher(Loader& loader, at::Device device)
    : loader_(loader), copies_(device.is_cpu() ? nullptr : std::make_unique<Copies>(device)) {}

DevicePrefetcher::~DevicePrefetcher() = default;

bool DevicePrefetcher::has_next() const {
  return (copies_ && copies_->staged) || loader_.has_next();
}

Batch DevicePrefetcher::next() {
  if (!copies_) return loader_.next();
  if (!copies_->staged) copies_->stage(loader_);
  Batch batch = copies_->take();
  if (loader_.has_next() && loader_.ready()) copies_->stage(loader_);
  return batch;
}

}  // namespace dfine::inline input
