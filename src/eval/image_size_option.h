#pragma once
#include <optional>
#include <string>

#include "core/image_size.h"

namespace dfine::inline eval {

/// "640" or "480x640" (height x width), both divisible by 32; empty: none. Throws UsageError.
std::optional<ImageSize> parse_image_size(const std::string& text);

}  // namespace dfine::inline eval
