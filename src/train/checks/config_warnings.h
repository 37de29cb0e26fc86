#pragma once
// Warnings about settings with which fine-tuning is known to fail. Each names the cause and the key
// to change.
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "train/checks/dataset_stats.h"
#include "train/plan/run_plan.h"

namespace dfine::inline checks {

/// The usual learning rates for a global batch. In the middle is the official one, scaled by the
/// square root. The limits lie a factor of 4 beyond what the linear and the square root rule give.
struct UsualLrs {
  double least = 0, usual = 0, most = 0;
};
UsualLrs usual_lrs(const std::string& size, int64_t global_batch);

/// `plan`: what `config` was resolved to; `val`: unset without validation.
std::vector<std::string> config_warnings(const Config& config, const RunPlan& plan,
                                         const DatasetStats& train,
                                         const std::optional<DatasetStats>& val);

}  // namespace dfine::inline checks
