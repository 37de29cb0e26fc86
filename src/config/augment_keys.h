#pragma once
#include <vector>

#include "config/keys.h"

namespace dfine::inline config {

/// The keys of the [augment] table.
std::vector<ConfigKey> augment_keys();

}  // namespace dfine::inline config
