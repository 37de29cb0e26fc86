#pragma once
// A training run: what it needs, the loop over its steps, and what it leaves in the run folder.
#include <memory>

#include "config/config.h"
#include "distributed/mpi_session.h"

namespace dfine::inline train {

/// Collective: every rank makes one with the same configuration.
class Trainer {
 public:
  /// Joins the ranks into a group on their devices, opens the data, builds the model, and loads the
  /// weights or the checkpoint to continue from. Throws Error before anything is written if the
  /// configuration, the data, the weights or the ranks do not fit together.
  Trainer(const Config& config, MpiSession& session);
  ~Trainer();

  /// Trains to the end: validates, writes RUN_DIR/metrics.jsonl and
  /// RUN_DIR/checkpoints/{last,best}.
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfine::inline train
