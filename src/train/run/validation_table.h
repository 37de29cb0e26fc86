#pragma once
// What a validation found, as the console shows it.
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint/run_state.h"

namespace dfine::inline run {

/// A table with a row for each of `found` (the better one first), the best validation before, and
/// the change from that. `before` is unset where there was none.
std::string validation_table(const std::vector<ValidationRecord>& found,
                             const std::optional<ValidationRecord>& before);

}  // namespace dfine::inline run
