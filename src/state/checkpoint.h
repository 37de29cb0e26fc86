#pragma once
// A checkpoint is a folder: config.json, preprocessor_config.json and model.safetensors, which transformers' from_pretrained opens, and
// state.pth, from which training continues and which `torch.load(path, weights_only=True)` opens.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "optim/adamw.h"
#include "state/hf_config.h"
#include "tensor.h"

namespace dfine {

struct Checkpoint {
  ModelDescription description;         // config.json and preprocessor_config.json
  std::map<std::string, Tensor> model;  // raw weights: parameters and buffers by name
  AdamWState optimizer;

  struct Average {
    std::map<std::string, Tensor> tensors;  // as model
    int64_t updates = 0;
  };
  std::optional<Average> ema;  // unset: off

  struct Best {
    std::string monitor;  // "val_loss" or "ap"
    double value = 0;
    int64_t epoch = 0, step = 0;  // of the checkpoint that has it
  };
  std::optional<Best> best;  // so far; unset before the first validation

  int64_t epoch = 0;                                           // epochs completed
  int64_t epoch_step = 0;                                      // optimizer steps done of the epoch after those
  int64_t step = 0;                                            // optimizer steps done in all
  double val_loss = std::numeric_limits<double>::quiet_NaN();  // of the last validation; NaN before the first
  int64_t seed = 0;                                            // random draws are functions of it and the step, so it is all their state
  int64_t world_size = 1;                                      // ranks
  uint64_t config_hash = 0;
  std::string config;  // the effective configuration, TOML
};

/// Writes the folder `dir` (its parents too); an existing one is replaced only once the new one is complete and on disk, so that at any
/// moment, also after a crash, `dir` holds a whole checkpoint. model.safetensors gets ema's weights if there are any, else model's.
void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint);

/// Reads it back; tensors are on the CPU. An Error names the file that is missing or damaged and the entry that is wrong.
Checkpoint load_checkpoint(const std::string& dir);

/// Copies `saved` into the tensors of `model` (parameters and buffers by name), which must be exactly the same in names, shapes and types;
/// else one Error lists all that differ and nothing is copied.
void restore_tensors(const std::map<std::string, Tensor>& saved, const std::map<std::string, Tensor>& model);

}  // namespace dfine
