#pragma once
#include <ATen/autocast_mode.h>

#include "tensor.h"

namespace dfine::inline model {

/// While it lives, autocast is off on such devices: operations compute in the types of their
/// inputs. For the few places where half precision would round what boxes and ranks are made of.
class FullPrecision {
 public:
  explicit FullPrecision(at::DeviceType device)
      : device_(device), enabled_before_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_enabled(device_, false);
  }
  ~FullPrecision() { at::autocast::set_autocast_enabled(device_, enabled_before_); }
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;

 private:
  at::DeviceType device_;
  bool enabled_before_;
};

/// x in single precision, or in double if it is; no copy if it is already.
inline Tensor to_full(const Tensor& x) {
  return x.to(at::promote_types(x.scalar_type(), at::kFloat));
}

}  // namespace dfine::inline model
