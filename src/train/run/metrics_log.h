#pragma once
// metrics.jsonl of a run folder: one JSON object a line, numbers at full precision.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "files/output_file.h"
#include "train/checkpoint/checkpoint.h"

namespace dfine::inline run {

struct StepRecord {
  int64_t step = 0;  // counts from 1
  int64_t epoch = 0;
  double loss = 0;
  std::vector<std::pair<std::string, double>>
      losses;            // weighted terms by official name, means over the ranks
  double grad_norm = 0;  // global, before clipping
  double lr = 0;
  int64_t images = 0;  // of this step, over all ranks
  double images_per_s = 0;
  double data_wait_s = 0;  // longest wait of a rank
  bool skipped =
      false;  // nothing was updated: not finite, or an overflow in fp16; only then in the file
};

/// What happens beside steps and validations.
struct RunEvent {
  std::string event;  // as docs/runs.md lists them: "started", ...
  int64_t step = 0, epoch = 0;
  std::vector<std::pair<std::string, std::string>> values;  // more fields
};

class MetricsLog {
 public:
  /// Appends to `path`. With `resume_step` >= 0, records of later steps (of an interrupted run) are
  /// removed first, so that each step occurs once. Throws Error when the file cannot be written.
  MetricsLog(const std::string& path, int64_t resume_step);

  void write_step(const StepRecord& record);
  /// A "val" line of the weights that count; with `better` false a "val_other" line. -1 where COCO
  /// defines no metric.
  void write_validation(const ValidationRecord& record, bool better);
  void write_event(const RunEvent& event);

 private:
  void write_line(const std::string& line);
  OutputFile out_;
};

}  // namespace dfine::inline run
