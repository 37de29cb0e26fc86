#pragma once
// The folders checkpoints/best and checkpoints/best_stage1 of a run. All for rank zero.
#include <cstdint>
#include <filesystem>

#include "train/run/run_folder.h"

namespace dfine::inline run {

/// When stage 2 begins: keeps checkpoints/best as checkpoints/best_stage1, by hard links
/// where the file system has them. False if there is no best yet.
bool keep_stage1_best(const RunFolder& folder);

/// In a run continued from `from`: whether checkpoints/best is there, brought from beside `from`
/// (stage 1's best too) if that belongs to another run folder. Without it, the metric that
/// was best, of step `best_step`, has no weights left.
bool import_best(const RunFolder& folder, const std::filesystem::path& from, int64_t best_step);

}  // namespace dfine::inline run
