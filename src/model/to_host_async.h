#pragma once
#include <optional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace dfine::inline model {

/// A tensor on its way to the host.
class HostCopy {
 public:
  /// Does not wait for the device. On a CPU it is the tensor itself.
  explicit HostCopy(const at::Tensor& tensor) : host_(tensor) {
    const at::Device device = tensor.device();
    if (device.is_cpu()) return;
    host_ = at::empty_like(tensor, tensor.options().device(at::kCPU).pinned_memory(true));
    host_.copy_(tensor, /*non_blocking=*/true);
    arrived_.emplace(device.type());
    arrived_->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  }

  void wait() const {
    if (arrived_) arrived_->synchronize();
  }
  /// To be read after wait(), or after anything else that has waited for the same stream since.
  const at::Tensor& tensor() const { return host_; }

 private:
  at::Tensor host_;
  std::optional<c10::Event> arrived_;
};

}  // namespace dfine::inline model
