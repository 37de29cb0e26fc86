#pragma once
// Where a run is, beside what its learner holds.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/choices.h"
#include "eval/monitor.h"

namespace dfine::inline checkpoint {

/// Which of the two sets of weights: the EMA or the trained ones themselves.
enum class WeightsKind { kEma, kRaw };
/// "ema" or "raw".
const char* weights_name(WeightsKind kind);

/// What a validation found, of one of the two.
struct ValidationRecord {
  WeightsKind weights = WeightsKind::kRaw;
  int64_t epoch = 0, step = 0;                          // counted as in metrics.jsonl
  std::vector<std::pair<std::string, double>> metrics;  // val_loss and the 12 of COCO, by name
};

struct RunState {
  int64_t step = 0;        // optimizer steps done in all
  int64_t epoch = 0;       // epochs completed
  int64_t epoch_step = 0;  // optimizer steps done of the epoch after those
  double val_loss =
      std::numeric_limits<double>::quiet_NaN();  // of the last validation; NaN before the first

  struct Best {
    Monitor monitor = Monitor::kValLoss;
    double value = 0;
    int64_t epoch = 0, step = 0;                                 // of the checkpoint that has it
    double val_loss = std::numeric_limits<double>::quiet_NaN();  // its own; NaN in older
                                                                 // checkpoints, which lack it
  };
  std::optional<Best> best;                 // so far; unset before the first validation
  WeightsKind weights = WeightsKind::kEma;  // the better ones, which model.safetensors is to hold
  int64_t world_size = 1;                   // ranks
  std::string config;                       // the effective configuration, TOML

  std::vector<ValidationRecord>
      validations;  // of the last validation, one for each set of weights; to metrics.json

  /// visit(key, field) for each field of `run` that has an entry in state.pth. What a checkpoint
  /// holds and what the ranks share follow from this list.
  template <class Run, class Visit>
  static void entries(Run& run, const Visit& visit) {
    visit("step", run.step);
    visit("epoch", run.epoch);
    visit("epoch_step", run.epoch_step);
    visit("val_loss", run.val_loss);
    visit("best", run.best);
    visit("weights", run.weights);
    visit("world_size", run.world_size);
    visit("config", run.config);
  }

  /// Takes a validation's metrics; true if they are the best so far by `monitor` (is_better).
  bool validated(Monitor monitor, const Score& score, int64_t of_epoch);
};

}  // namespace dfine::inline checkpoint
