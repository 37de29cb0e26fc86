#pragma once
#include <ATen/core/Tensor.h>

namespace dfine::inline model {

/// `tensor` on `device`; from host memory by way of page-locked memory, so that the host does not
/// wait for what the device is doing.
inline at::Tensor to_device_async(const at::Tensor& tensor, const at::Device& device) {
  return tensor.device().type() == device.type()
             ? tensor
             : tensor.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace dfine::inline model
