#pragma once
// A checkpoint is a folder: config.json, preprocessor_config.json and model.safetensors, which
// transformers' from_pretrained opens, state.pth, from which training continues and which
// `torch.load(path, weights_only=True)` opens, and metrics.json, for people.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optim/adamw.h"
#include "optim/grad_scaler.h"
#include "tensor.h"
#include "weights/hf_config.h"

namespace dfine::inline run {

/// Which of the two sets of weights: the moving average or the trained ones themselves.
enum class WeightsKind { kEma, kRaw };
/// "ema" or "raw".
const char* weights_name(WeightsKind kind);

/// What a validation found, of one of the two.
struct ValidationRecord {
  WeightsKind weights = WeightsKind::kRaw;
  int64_t epoch = 0, step = 0;                          // counted as in metrics.jsonl
  std::vector<std::pair<std::string, double>> metrics;  // val_loss and the 12 of COCO, by name
};

struct Checkpoint {
  ModelDescription description;         // config.json and preprocessor_config.json
  std::map<std::string, Tensor> model;  // raw weights: parameters and buffers by name
  AdamWState optimizer;
  std::optional<GradScaler::State> scaler;  // unset: not in half precision. In state.pth as
                                            // torch.amp.GradScaler.state_dict() has it

  struct Average {
    std::map<std::string, Tensor> tensors;  // as model
    int64_t updates = 0;
    std::optional<double> restarted_decay;  // see Ema::restart
  };
  std::optional<Average> ema;               // unset: off
  WeightsKind weights = WeightsKind::kEma;  // what model.safetensors is to hold
  /// What it holds: without an average the raw weights.
  WeightsKind held_weights() const { return ema ? weights : WeightsKind::kRaw; }

  struct Best {
    std::string monitor;  // "val_loss" or "ap"
    double value = 0;
    int64_t epoch = 0, step = 0;                                 // of the checkpoint that has it
    double val_loss = std::numeric_limits<double>::quiet_NaN();  // its own; NaN in older
                                                                 // checkpoints, which lack it
  };
  std::optional<Best> best;  // so far; unset before the first validation

  int64_t epoch = 0;       // epochs completed
  int64_t epoch_step = 0;  // optimizer steps done of the epoch after those
  int64_t step = 0;        // optimizer steps done in all
  double val_loss =
      std::numeric_limits<double>::quiet_NaN();  // of the last validation; NaN before the first
  int64_t seed = 0;  // random numbers are functions of it and the step, so it is all their state
  int64_t world_size = 1;  // ranks
  std::vector<ValidationRecord>
      validations;  // of the last validation, one for each set of weights; to metrics.json
  uint64_t config_hash = 0;
  std::string config;  // the effective configuration, TOML
};

/// Writes the folder `dir` (its parents too); an existing one is replaced only once the new one is
/// complete and on disk, so that at any moment, also after a crash, `dir` holds a whole checkpoint.
/// metrics.json: {"step", "epoch", "weights": "ema" or "raw", "validations": [{"weights", "step",
/// "epoch", "metrics": {by name}}]}, epoch as the number of epochs completed; metrics that are not
/// finite are null.
void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint);

/// What load_checkpoint() says of the model and its classes; Error where it throws one for missing
/// files.
ModelDescription describe_checkpoint(const std::string& dir);

/// Reads it back; tensors are on the CPU. Older folders lack metrics.json and do not tell what
/// `weights` is: the EMA if there is one. An Error names the file that is missing or damaged
/// and the entry that is wrong.
Checkpoint load_checkpoint(const std::string& dir);

/// Throws one Error that lists all differences unless `saved` and `model` are exactly the same in
/// names, shapes and types.
void require_same_tensors(const std::map<std::string, Tensor>& saved,
                          const std::map<std::string, Tensor>& model);

/// Copies `saved` into the tensors of `model` (parameters and buffers by name), which must be the
/// same; else an Error as above and nothing is copied.
void restore_tensors(const std::map<std::string, Tensor>& saved,
                     const std::map<std::string, Tensor>& model);

}  // namespace dfine::inline run
