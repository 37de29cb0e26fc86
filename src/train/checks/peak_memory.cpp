#include "train/checks/peak_memory.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>

namespace dfine::inline checks {

int64_t peak_bytes(c10::Device device) {
  if (!device.is_cpu()) {
    const auto total = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return at::getDeviceAllocator(device.type())
        ->getDeviceStats(device.index())
        .reserved_bytes[total]
        .peak;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

}  // namespace dfine::inline checks
