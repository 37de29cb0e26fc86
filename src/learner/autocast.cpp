#include "learner/autocast.h"

#include <ATen/autocast_mode.h>

namespace dfine::inline learner {

Autocast::Autocast(at::DeviceType device, std::optional<at::ScalarType> type)
    : device_(device),
      enabled_before_(at::autocast::is_autocast_enabled(device)),
      type_before_(at::autocast::get_autocast_dtype(device)) {
  if (type) at::autocast::set_autocast_dtype(device_, *type);
  at::autocast::set_autocast_enabled(device_, type.has_value());
}

Autocast::~Autocast() {
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, enabled_before_);
  at::autocast::set_autocast_dtype(device_, type_before_);
}

}  // namespace dfine::inline learner
