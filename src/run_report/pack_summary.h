#pragma once
// The packs that a run was trained and validated on, as they are now.
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace dfine::inline run_report {

struct PackSummary {
  std::string problem;  // why the rest is empty; empty: nothing is wrong
  std::string checksum;
  int64_t images = 0, images_without_boxes = 0, boxes = 0;  // boxes: training targets
  std::vector<std::pair<std::string, int64_t>> classes;     // names and boxes, in order of labels
};

/// A pack that is gone, moved or damaged is a problem, never an error.
PackSummary summarize_pack(const std::filesystem::path& folder);

}  // namespace dfine::inline run_report
