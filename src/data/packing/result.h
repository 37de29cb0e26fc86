#pragma once
// What packing gave: the shards written and what was found on the way. A part of a pack leaves it
// in a file, for the run that completes the pack.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/annotation_set.h"
#include "data/report/packed_split.h"

namespace dfine::inline packing {

struct PackResult {
  std::vector<PackedSplit> sets;
  std::vector<CocoProblem> skipped;  // images found bad while they were read

  /// That of the shards that follow. Both have the same sets.
  void append(const PackResult& later);
};

/// `plan`: checksum of what was to be packed.
void write_pack_result(const std::filesystem::path& file, const PackResult& result, uint32_t plan);

struct ReadPackResult {
  PackResult result;
  uint32_t plan = 0;
};

/// Throws Error when the file is missing or damaged.
ReadPackResult read_pack_result(const std::filesystem::path& file);

}  // namespace dfine::inline packing
