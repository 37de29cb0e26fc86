#pragma once
// metrics.json of a checkpoint folder: what validation found, beside the weights it found it of.
#include <filesystem>
#include <string>
#include <vector>

#include "train/checkpoint/checkpoint.h"

namespace dfine::inline checkpoint {

/// The layout stands at save_checkpoint().
void write_checkpoint_metrics(const std::filesystem::path& file, const Checkpoint& checkpoint);

/// Its validations; null metrics are NaN. An Error names the file and what is wrong with it.
std::vector<ValidationRecord> read_checkpoint_metrics(const std::filesystem::path& file);

}  // namespace dfine::inline checkpoint
