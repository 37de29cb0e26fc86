#pragma once
#include <filesystem>
#include <span>

#include "metrics/coco_types.h"
#include "train/run/run_context.h"

namespace dfine::inline run {

/// Writes RUN_DIR/report.html. `detections`: those of the best validation; up to 600,000 of them
/// are shown, and kept in RUN_DIR/predictions.json. Empty: the page shows the run alone. Never ends
/// a run: says why there is no page. Returns the page; empty without one.
std::filesystem::path write_final_report(const RunContext& context,
                                         std::span<const Detection> detections);

}  // namespace dfine::inline run
