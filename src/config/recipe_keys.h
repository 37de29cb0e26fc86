#pragma once
#include <vector>

#include "config/keys.h"

namespace dfine::inline config {

/// The keys of [optim], [train], [ema], [validate] and [checkpoint].
std::vector<ConfigKey> recipe_keys();

/// What among them cannot be together.
std::vector<ConfigConflict> recipe_conflicts(const Config& config);

}  // namespace dfine::inline config
