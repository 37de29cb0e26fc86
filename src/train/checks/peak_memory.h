#pragma once
#include <c10/core/Device.h>

#include <cstdint>

namespace dfine::inline checks {

/// The most bytes in use so far: on a GPU what the allocator has reserved on `device`, on a CPU
/// what the process has resident.
int64_t peak_bytes(c10::Device device);

}  // namespace dfine::inline checks
