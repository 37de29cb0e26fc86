#pragma once
// metrics.jsonl of a run folder: one JSON object a line, numbers at full precision.
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace dfine {

struct StepRecord {
  int64_t step = 0;  // counts from 1
  int64_t epoch = 0;
  double loss = 0;
  std::vector<std::pair<std::string, double>> losses;  // weighted terms by official name, means over the ranks
  double grad_norm = 0;                                // global, before clipping
  double lr = 0;
  int64_t images = 0;  // of this step, over all ranks
  double images_per_s = 0;
  double data_wait_s = 0;  // longest wait of a rank
};

class MetricsLog {
 public:
  /// Appends to `path`. With `resume_step` >= 0, records of later steps (of an interrupted run) are removed first, so that each step
  /// occurs once. Throws Error when the file cannot be written.
  MetricsLog(const std::string& path, int64_t resume_step);

  void write_step(const StepRecord& record);
  /// `figures`: val_loss and the 12 COCO figures by name; -1 where COCO defines none.
  void write_validation(int64_t step, int64_t epoch, const std::vector<std::pair<std::string, double>>& figures);

 private:
  void write_line(const std::string& line);
  std::string path_;
  std::ofstream out_;
};

}  // namespace dfine
