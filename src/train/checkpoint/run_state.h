#pragma once
// Where a run is, beside what its learner holds. A checkpoint's manifest.json has it under "run".
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
/// The inverse. Throws Error for anything else.
WeightsKind to_weights_kind(const std::string& name);

/// What a validation found, of one of the two.
struct ValidationRecord {
  WeightsKind weights = WeightsKind::kRaw;
  int64_t epoch = 0, step = 0;                          // counted as in metrics.jsonl
  std::vector<std::pair<std::string, double>> metrics;  // val_loss and the 12 of COCO, by name
  std::string thresholds = {};  // Validation::thresholds, JSON; empty: unknown
};

struct RunState {
  // What is done. A step's samples count as done where the step was skipped too.
  int64_t step = 0;           // optimizer steps in all
  int64_t epoch = 0;          // epochs completed
  int64_t epoch_samples = 0;  // samples of the epoch after those
  int64_t samples = 0;        // samples in all
  int64_t stage = 1;          // 2 from train.stage2_epoch on, once what begins it is done

  // What the end of the last epoch still has to do, in this order.
  bool validation_due = false;
  bool back_to_best_due = false;  // to the weights of best_stage1, after no improvement in stage 2

  int64_t bad_steps = 0;                 // in a row, whose loss or gradient was not finite
  int64_t validations_without_best = 0;  // in a row
  double val_loss =
      std::numeric_limits<double>::quiet_NaN();  // of the last validation; NaN before the first

  struct Best {
    Monitor monitor = Monitor::kValLoss;
    double value = 0;
    int64_t epoch = 0, step = 0;                                 // of the checkpoint that has it
    double val_loss = std::numeric_limits<double>::quiet_NaN();  // its own; NaN in checkpoints of
                                                                 // version 0.1, which lack it
  };
  std::optional<Best> best;                 // so far; unset before the first validation
  std::optional<int64_t> best_stage1;       // step of the checkpoint that stage 2 goes back to
  WeightsKind weights = WeightsKind::kEma;  // the better ones, which model.safetensors is to hold

  // Of which run, and how it has run so far.
  std::string run_id;        // 32 hexadecimal digits, the same for all attempts
  int64_t attempt = 1;       // starts of the program
  double minutes = 0;        // of all attempts together
  int64_t world_size = 1;    // ranks
  int64_t global_batch = 0;  // images of a step; 0: unknown, in checkpoints of version 0.1
  // checksums of the packs' manifests, see PackedDataset::checksum(); empty: unknown, in
  // checkpoints of version 0.1, or without validation
  std::string train_data, val_data;
  std::string config;  // the effective configuration, TOML

  std::vector<ValidationRecord>
      validations;  // of the last validation, one for each set of weights; to metrics.json

  /// visit(key, field) for each field of `run` but validations. What manifest.json holds and what
  /// the ranks share follow from this list.
  template <class Run, class Visit>
  static void entries(Run& run, const Visit& visit) {
    visit("step", run.step);
    visit("epoch", run.epoch);
    visit("epoch_samples", run.epoch_samples);
    visit("samples", run.samples);
    visit("stage", run.stage);
    visit("validation_due", run.validation_due);
    visit("back_to_best_due", run.back_to_best_due);
    visit("bad_steps", run.bad_steps);
    visit("validations_without_best", run.validations_without_best);
    visit("val_loss", run.val_loss);
    visit("best", run.best);
    visit("best_stage1", run.best_stage1);
    visit("weights", run.weights);
    visit("run_id", run.run_id);
    visit("attempt", run.attempt);
    visit("minutes", run.minutes);
    visit("world_size", run.world_size);
    visit("global_batch", run.global_batch);
    visit("train_data", run.train_data);
    visit("val_data", run.val_data);
    visit("config", run.config);
  }

  /// Epoch (from 0) of the last step; 0 before the first.
  int64_t last_epoch() const { return epoch_samples > 0 || epoch == 0 ? epoch : epoch - 1; }

  /// Takes a validation's metrics; true if they are the best so far by `monitor` (is_better).
  bool validated(Monitor monitor, const Score& score);
};

}  // namespace dfine::inline checkpoint
