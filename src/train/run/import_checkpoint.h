#pragma once
// A run that goes on in another run folder. For rank zero.
#include <filesystem>

#include "train/checkpoint/checkpoint_store.h"
#include "train/checkpoint/run_state.h"

namespace dfine::inline run {

/// Copies the checkpoint `from` of another run folder into `to`. With it come the best one and the
/// one that stage 2 goes back to, as far as they are there. Uses hard links where the file system
/// has them. So the new folder has all that a later start needs.
void import_checkpoint(const std::filesystem::path& from, const RunState& state,
                       const CheckpointStore& to);

}  // namespace dfine::inline run
