#pragma once
// What goes into which shard. Depends on the annotation file and the sizes of the image files
// alone, so that shards can be written in any order, by several runs.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "data/annotation_set.h"
#include "data/packing/val_split.h"
#include "files/file_id.h"

namespace dfine::inline packing {

struct PlannedImage {
  size_t index = 0;  // into AnnotationSet::images
  std::filesystem::path path;
  uint64_t size = 0;  // bytes
  FileId file{};      // the same for all names of a file
};

struct PlannedShard {
  size_t set = 0;  // index of its pack
  std::string file;
  std::vector<PlannedImage> images;  // at least one

  uint64_t bytes() const;
};

struct PackPlan {
  std::vector<PlannedShard> shards;   // pack after pack
  std::vector<CocoProblem> problems;  // of the annotation file, then of names and files
};

/// Takes the images that no problem concerns, in order of the annotation file. A shard is full when
/// the next file would make it larger than `shard_size`.
PackPlan plan_pack(const AnnotationSet& coco, const SplitAssignment& sets,
                   const std::filesystem::path& image_folder, uint64_t shard_size,
                   ThreadPool& pool);

/// Checksum of everything that decides what the shards will hold, but the bytes of the image files.
/// `settings`: what else does.
uint32_t plan_checksum(const PackPlan& plan, const AnnotationSet& coco,
                       const std::vector<uint64_t>& settings);

}  // namespace dfine::inline packing
