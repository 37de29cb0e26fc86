#pragma once
#include <cstdint>

namespace dfine {

/// Pixels. Height first, as tensors have it.
struct ImageSize {
  int64_t height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

}  // namespace dfine
