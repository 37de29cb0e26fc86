#pragma once
// metrics.jsonl of a run folder (docs/runs.md), of a run that may still go on, was killed, or was
// written by another version.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run_report/curves.h"

namespace dfine::inline run_report {

struct RunStart {
  int64_t step = 0, attempt = 1, ranks = 0, steps_lost = 0;
  std::string time, run_id, resumed_from;
  std::vector<std::string> hosts;
};

struct RunValidation {
  int64_t step = 0, epoch = 0;
  std::string time, weights;
  bool selected = true;                                 // type "val", not "val_other"
  std::vector<std::pair<std::string, double>> metrics;  // in order of the file; NaN: null there
};

struct RunEventLine {
  int64_t step = 0, epoch = 0;
  std::string time, event;
  std::vector<std::pair<std::string, std::string>> values;
};

struct MetricsFile {
  Curves curves;
  std::vector<RunStart> starts;
  std::vector<RunValidation> validations;
  std::vector<RunEventLine> events;
  int64_t last_step = 0, images = 0, skipped_steps = 0;
  std::string first_time, last_time;
  std::vector<std::string> problems;  // for people: what of the file could not be used
};

/// Reads what is there; a file that is missing or a line that cannot be read is a problem, never an
/// error.
MetricsFile read_metrics_file(const std::filesystem::path& path);

}  // namespace dfine::inline run_report
