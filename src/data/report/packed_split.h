#pragma once
#include <string>
#include <vector>

#include "data/report/counts.h"
#include "data/shards/manifest.h"

namespace dfine::inline report {

/// One pack: all images, or one side of a split.
struct PackedSplit {
  std::string name;                // folder in the output; empty: the output itself
  std::vector<ShardEntry> shards;  // in order of the images
  PackCounts counts;
};

}  // namespace dfine::inline report
