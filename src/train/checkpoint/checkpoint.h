#pragma once
// A checkpoint is a folder. Its files config.json, preprocessor_config.json and model.safetensors
// are what transformers' from_pretrained opens. Training continues from state.pth, which
// `torch.load(path, weights_only=True)` opens. People read metrics.json.
#include <string>

#include "learner/learner_state.h"
#include "train/checkpoint/run_state.h"
#include "weights/hf_config.h"

namespace dfine::inline checkpoint {

struct Checkpoint {
  ModelDescription description;  // config.json and preprocessor_config.json
  LearnerState learner;
  RunState run;

  /// What model.safetensors holds: without an EMA the raw weights.
  WeightsKind held_weights() const { return learner.ema ? run.weights : WeightsKind::kRaw; }
};

/// Writes the folder `dir` (its parents too). An existing one is replaced only once the new one is
/// complete and on disk. So `dir` holds a whole checkpoint at any moment, also after a crash.
///
/// The file metrics.json holds {"step", "epoch", "weights": "ema" or "raw", "validations":
/// [{"weights", "step", "epoch", "metrics": {by name}}]}. An epoch is the number of epochs
/// completed. Metrics that are not finite are null.
void save_checkpoint(const std::string& dir, const Checkpoint& checkpoint);

/// What load_checkpoint() says of the model and its classes; Error where it throws one for missing
/// files.
ModelDescription describe_checkpoint(const std::string& dir);

/// Reads it back; tensors are on the CPU. Older folders lack metrics.json and do not tell what
/// `weights` is: the EMA if there is one. An Error names the file that is missing or damaged
/// and the entry that is wrong.
Checkpoint load_checkpoint(const std::string& dir);

}  // namespace dfine::inline checkpoint
