#pragma once
#include <functional>

#include "core/error.h"

namespace dfine::inline packing {

/// Throws an Error if `interrupted` says so: for writers whose output appears whole or not at all.
inline void stop_if(const std::function<bool()>& interrupted) {
  if (interrupted()) throw Error(ErrorCode::kInterrupted, "interrupted; nothing was written");
}

}  // namespace dfine::inline packing
