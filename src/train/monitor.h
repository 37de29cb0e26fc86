#pragma once
// checkpoint.monitor: what makes one validation better than another.
#include <cmath>
#include <string>

#include "config/config.h"

namespace dfine {

inline const char* monitor_name(Monitor monitor) {
  return monitor == Monitor::kAp ? "ap" : "val_loss";
}

/// Whether `value` is better than `than`: a higher AP, a lower loss. NaN never is; everything else is better than NaN.
inline bool is_better(Monitor monitor, double value, double than) {
  if (std::isnan(value) || std::isnan(than)) return !std::isnan(value);
  return monitor == Monitor::kAp ? value > than : value < than;
}

}  // namespace dfine
