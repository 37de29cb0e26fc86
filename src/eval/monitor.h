#pragma once
// checkpoint.monitor: what makes one validation better than another.
#include <cmath>
#include <limits>
#include <string>

#include "config/choices.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline eval {

inline const char* monitor_name(Monitor monitor) {
  return monitor == Monitor::kAp ? "ap" : "val_loss";
}
/// The inverse. Throws Error for another name.
inline Monitor to_monitor(const std::string& name) {
  for (const Monitor monitor : {Monitor::kValLoss, Monitor::kAp})
    if (name == monitor_name(monitor)) return monitor;
  throw Error(ErrorCode::kInternal, str_cat("no number to monitor is called \"", name, "\""));
}

/// What decides between validations. NaN where there is nothing to tell it from.
struct Score {
  double ap = std::numeric_limits<double>::quiet_NaN();
  double val_loss = std::numeric_limits<double>::quiet_NaN();

  double monitored(Monitor monitor) const { return monitor == Monitor::kAp ? ap : val_loss; }
};

/// A higher AP; where that is equal, as the zeros of the first epochs or without boxes are, or
/// val_loss is monitored: a lower val_loss. NaN is worse than any number.
inline bool is_better(Monitor monitor, const Score& score, const Score& than) {
  const auto better = [](double value, double other) {
    return value > other || (std::isnan(other) && !std::isnan(value));
  };
  if (monitor == Monitor::kAp) {
    if (better(score.ap, than.ap)) return true;
    if (better(than.ap, score.ap)) return false;
  }
  return better(-score.val_loss, -than.val_loss);
}

}  // namespace dfine::inline eval
