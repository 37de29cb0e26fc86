#pragma once
// dfine-report: one HTML page about a run and the model's detections.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dfine::inline run_report {

struct RunReportOptions {
  std::optional<std::filesystem::path> run = {};          // RUN_DIR
  std::vector<std::filesystem::path> compare = {};        // other run folders
  std::optional<std::filesystem::path> annotations = {};  // COCO's JSON
  std::optional<std::filesystem::path> predictions = {};  // COCO results
  std::optional<std::filesystem::path> images = {};       // folder of the images
  std::optional<std::filesystem::path> data = {};         // a pack: annotations and images
  std::filesystem::path output;
  size_t pictures = 100;  // of the worst images
  int threads = 0;        // 0: one for every core
};

/// Writes the page, whole or not at all. Throws Error where there is no run folder, and where
/// annotations and predictions cannot be read; names the file.
void write_run_report(const RunReportOptions& options);

}  // namespace dfine::inline run_report
