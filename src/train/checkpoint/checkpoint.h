#pragma once
// A checkpoint is a folder. Its files config.json, preprocessor_config.json and model.safetensors
// are what transformers' from_pretrained opens. state.pth, which
// `torch.load(path, weights_only=True)` opens, has what the learner needs to go on. People read
// metrics.json. manifest.json has the run's state, and size and CRC-32C of every other file.
#include <filesystem>
#include <functional>
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

struct SaveOptions {
  /// A complete checkpoint of the same step, or empty. Files that do not differ from its are linked
  /// instead of written, or copied where the file system has no hard links.
  std::filesystem::path same_step;
  /// Called when all is on disk, before the folder gets its name. What it throws leaves no folder.
  std::function<void()> before_commit = [] {};
};

/// Writes the new folder `folder` (its parents too), whole or not at all: it has its name once
/// everything is on disk. Throws Error where something has that name already.
///
/// The file metrics.json holds {"step", "epoch" (of the last step, from 0), "weights": "ema" or
/// "raw", "validations": [{"weights", "step", "epoch", "metrics": {by name}}]}. Metrics that are
/// not finite are null.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                     const SaveOptions& options = {});

/// Reads it back; tensors are on the CPU. Every file is read and compared with its checksum first.
/// `path` may also be a link (weights/checkpoint_link.h). An Error names the file that is missing
/// or damaged, or the entry that is wrong.
///
/// Folders of version 0.1 have no manifest; what they hold is read without checksums. Of their run
/// state, global_batch is 0 and epoch_samples counts steps: adopt_old_state() (plan/saved_run.h).
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace dfine::inline checkpoint
