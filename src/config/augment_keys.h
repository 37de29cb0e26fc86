#pragma once
#include <vector>

#include "config/keys.h"

namespace dfine {

/// The keys of the [augment] table.
std::vector<ConfigKey> augment_keys();

}  // namespace dfine
