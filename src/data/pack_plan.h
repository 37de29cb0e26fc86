#pragma once
// What goes into which shard. Depends on the annotation file and the sizes of the image files alone, so that shards can be written in any
// order.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "data/coco.h"

namespace dfine {

struct PlannedImage {
  size_t index = 0;  // into Coco::images
  std::filesystem::path path;
  uint64_t size = 0;  // bytes
};

struct PackPlan {
  std::vector<std::vector<PlannedImage>> shards;  // none is empty
  std::vector<CocoProblem> problems;              // of the annotation file, then of names and files
  size_t images = 0;
  uint64_t bytes = 0;
};

/// Takes the images that no problem concerns, in order of the annotation file; a shard is full when the next file would make it larger than
/// `shard_size`.
PackPlan plan_pack(const Coco& coco, const std::filesystem::path& image_folder, uint64_t shard_size, ThreadPool& pool);

}  // namespace dfine
