#pragma once
// Checkpoint folders as version 0.1 wrote them.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint/checkpoint.h"
#include "weights/folder_manifest.h"
#include "weights/pth.h"

namespace dfine {

/// What version 0.1 kept of a run, in state.pth.
struct OldRun {
  int64_t step = 0, epoch = 0, epoch_step = 0;  // epoch_step: steps of the epoch after those
  double val_loss = 0;
  std::optional<RunState::Best> best = {};
  const char* weights = "ema";
  int64_t world_size = 1;
  std::string config = {};
};

/// Makes the new folder `folder` as version 0.1 would have: no manifest, and the run's state in
/// state.pth. `lacking`: entries that its first builds did not write.
inline void save_old_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                                const OldRun& run, const std::vector<std::string>& lacking = {}) {
  save_checkpoint(folder, checkpoint);
  std::filesystem::remove(folder / kManifestFile);
  const std::string file = (folder / "state.pth").string();
  PthValue::Dict state = read_pth(file);
  state["format_version"] = 1;
  state["step"] = run.step;
  state["epoch"] = run.epoch;
  state["epoch_step"] = run.epoch_step;
  state["val_loss"] = run.val_loss;
  state["best"] = PthValue();
  if (run.best) {
    state["best"] = PthValue::Dict{{"monitor", monitor_name(run.best->monitor)},
                                   {"value", run.best->value},
                                   {"val_loss", run.best->val_loss},
                                   {"epoch", run.best->epoch},
                                   {"step", run.best->step}};
  }
  state["weights"] = run.weights;
  state["world_size"] = run.world_size;
  state["config"] = run.config;
  for (const std::string& entry : lacking) state.erase(entry);
  write_pth(file, state);
}

}  // namespace dfine
