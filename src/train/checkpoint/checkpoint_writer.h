#pragma once
// Writes checkpoints while training goes on. For rank zero.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/thread_pool.h"
#include "train/checkpoint/checkpoint.h"
#include "train/checkpoint/checkpoint_store.h"

namespace dfine::inline checkpoint {

struct WriterOptions {
  int64_t keep = 2;               // see KeepOptions
  int64_t keep_every_epochs = 0;  // likewise
  /// Called before anything becomes visible: throws Error when another job has taken the run
  /// folder.
  std::function<void()> require_held = [] {};
};

/// How one write ended.
struct WrittenCheckpoint {
  CheckpointName name;
  int64_t epoch = 0;                      // of its last step
  std::vector<std::string> links = {};    // that now mean it
  double seconds = 0;                     // it took
  std::optional<Error> failure = {};      // with the room that was left on the disk
  std::optional<Error> not_removed = {};  // why older folders that need not stay are still there
};

class CheckpointWriter {
 public:
  CheckpointWriter(CheckpointStore store, WriterOptions options);
  /// Waits for what is under way.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Starts to write `checkpoint`, whose tensors nobody may change from now on, under the name of
  /// its step. Waits only for a write that is still under way. Of kValidated, the files that a
  /// kStep folder of the same step has already are linked. In the end `links` mean it, and the
  /// folders that need not stay are removed.
  void write(std::shared_ptr<const Checkpoint> checkpoint, CheckpointKind kind,
             std::vector<std::string> links);

  /// Waits for what is under way.
  void wait();

  /// How the writes ended that no call has returned yet, in order. Does not wait.
  std::vector<WrittenCheckpoint> take_written();

 private:
  WrittenCheckpoint write_now(const Checkpoint& checkpoint, CheckpointKind kind,
                              std::vector<std::string> links) const;
  std::optional<Error> prune(const RunState& run) const;
  void collect();

  const CheckpointStore store_;
  const WriterOptions options_;
  std::vector<WrittenCheckpoint> written_;
  std::optional<std::future<WrittenCheckpoint>> under_way_;
  ThreadPool thread_{1};
};

}  // namespace dfine::inline checkpoint
