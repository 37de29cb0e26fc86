#pragma once
#include <optional>
#include <string>
#include <vector>

namespace dfine::inline eval {

/// Score thresholds with the best F1 at IoU 0.5 (docs/analysis.md).
struct StoredThresholds {
  double overall = 0;           // one for all classes
  std::vector<double> classes;  // [classes]; the overall one where a class has none of its own
};

/// Those that the last validation of a checkpoint found, from its metrics.json. Nothing where
/// `weights` is no folder with such a file, or nothing was found then. A class is looked up by
/// name. Throws Error where the file is damaged.
std::optional<StoredThresholds> stored_thresholds(const std::string& weights,
                                                  const std::vector<std::string>& class_names);

}  // namespace dfine::inline eval
