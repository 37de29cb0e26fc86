#pragma once
// metrics.jsonl of a run folder: one JSON object a line, numbers at full precision, each with the
// wall-clock time.
#include <cstdint>
#include <filesystem>
#include <optional>
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
  double data_wait_s = 0;    // longest wait of a rank
  int64_t memory_bytes = 0;  // the most that rank zero has had in use
  bool skipped =
      false;  // nothing was updated: not finite, or an overflow in fp16; only then in the file
};

/// What happens beside steps and validations.
struct RunEvent {
  std::string event;  // as docs/runs.md lists them: "saved", ...
  int64_t step = 0, epoch = 0;
  std::vector<std::pair<std::string, std::string>> values;  // more fields
};

/// A start of the program.
struct StartRecord {
  int64_t step = 0, epoch = 0;  // where it begins
  int64_t attempt = 1;
  std::string run_id;
  std::vector<std::string> hosts;  // [ranks]
  std::string resumed_from;        // the checkpoint folder; empty: a new run
};

/// Never ends a run: where the disk is full or fails, lines are lost and counted, and the log says
/// so.
class MetricsLog {
 public:
  /// Appends to `path`. With `resume_step` >= 0, records of later steps (of an interrupted run) are
  /// removed first, so that each step occurs once.
  MetricsLog(std::filesystem::path path, int64_t resume_step);
  /// Says how many lines are lost, if any.
  ~MetricsLog();

  /// Steps beyond `resume_step` that the file had: they are done again.
  int64_t steps_lost() const { return steps_lost_; }
  int64_t lines_lost() const { return lines_lost_; }

  void write_start(const StartRecord& record);
  void write_step(const StepRecord& record);
  /// A "val" line of the weights that count; with `better` false a "val_other" line. -1 where COCO
  /// defines no metric.
  void write_validation(const ValidationRecord& record, bool better);
  void write_event(const RunEvent& event);

 private:
  void write_line(const std::string& line);
  void lose(const std::string& why);

  const std::filesystem::path path_;
  std::optional<OutputFile> out_;
  int64_t steps_lost_ = 0, lines_lost_ = 0;
};

}  // namespace dfine::inline run
