#pragma once
#include <optional>
#include <string>
#include <vector>

namespace dfine::inline predict {

/// The minimum score of each class: `wanted` for all, or those that the weights' validation found
/// best (eval/stored_thresholds.h), or 0.25. The log says which.
std::vector<double> score_thresholds(std::optional<double> wanted, const std::string& weights,
                                     const std::vector<std::string>& class_names);

}  // namespace dfine::inline predict
