#pragma once
// When a run saves, and what becomes of it. All for rank zero; on the others nothing happens.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "train/checkpoint/checkpoint_writer.h"
#include "train/run/metrics_log.h"
#include "train/run/run_context.h"

namespace dfine::inline run {

class RunCheckpoints {
 public:
  /// `saved_step`: of the checkpoint that the run continues from. `metrics`: null on ranks other
  /// than zero. All must outlive this.
  RunCheckpoints(const RunContext& context, const Learner& learner, MetricsLog* metrics,
                 std::optional<int64_t> saved_step);

  /// Whether checkpoint.every_steps or checkpoint.every_minutes asks for one after this step.
  bool due(const RunState& state) const;

  /// Starts to write the state, unless it is saved already: waits for the copy of the learner and a
  /// previous write only. Amid steps without a finite loss the weights may be ruined: they go to
  /// checkpoints/after_bad_steps, and `last` stays.
  void save(const RunState& state);
  /// The same after the validation of the last saved state. `best`: it is the best so far.
  void save_validated(const RunState& state, bool best);

  /// Says how earlier writes ended. A failed one is a warning. Throws its Error after
  /// checkpoint.max_failures in a row.
  void report();
  /// Waits for what is under way, and reports it. Throws the Error of the last write if that
  /// failed: the state or its validation is not on the disk.
  void finish();

  /// For stage 2: waits until the best checkpoint is written, and links best_stage1 to it.
  void keep_stage1_best(const RunState& state);
  /// The folder of a step's checkpoint; waits until it is written. Empty: there is none.
  std::filesystem::path folder_of(int64_t step);

  /// Minutes since the program's start and before it, over all attempts of this run.
  double minutes() const;

 private:
  void write(const RunState& state, CheckpointKind kind, std::vector<std::string> links);
  void handle(const WrittenCheckpoint& written);

  const RunContext& context_;
  const Learner& learner_;
  MetricsLog* const metrics_;
  const CheckpointStore store_;
  std::shared_ptr<const Checkpoint> unvalidated_;  // the last one of kStep, for save_validated()
  std::optional<int64_t> given_step_;  // whose state was last given to the writer, or resumed from
  int64_t failures_ = 0;               // in a row
  std::optional<Error> last_failure_;
  std::chrono::steady_clock::time_point last_save_;
  std::optional<CheckpointWriter> writer_;  // last: its thread uses the rest
};

}  // namespace dfine::inline run
