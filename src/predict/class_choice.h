#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dfine::inline predict {

/// The labels of --classes, in ascending order: `wanted` holds names of `names`, in any case, or
/// labels as numbers. Empty: all. Throws UsageError for anything else, with the names it may have
/// meant.
std::vector<int64_t> choose_classes(const std::vector<std::string>& wanted,
                                    const std::vector<std::string>& names);

}  // namespace dfine::inline predict
