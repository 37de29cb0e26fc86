#pragma once
#include <filesystem>
#include <span>
#include <vector>

#include "data/annotation_set.h"
#include "data/shards/format.h"
#include "data/shards/hdf5_file.h"
#include "data/shards/manifest.h"

namespace dfine::inline shards {

/// Writes one shard, image by image.
class ShardWriter {
 public:
  /// `image_bytes`: of all files that will be added together, as the place for them is set aside at
  /// once.
  ShardWriter(const std::filesystem::path& path, uint64_t image_bytes);

  /// Adds a file as it is. `image` has its true width and height; `annotations` are in order of the
  /// annotation file. Those without area inside the image are stored apart.
  void add(const CocoImage& image, std::span<const uint8_t> bytes, uint32_t crc32c,
           std::span<const CocoAnnotation> annotations);

  /// Writes the index and closes the file. Call once, after as many bytes as announced.
  ShardEntry finish(std::span<const Category> categories);

 private:
  std::filesystem::path path_;
  Hdf5Writer file_;
  uint64_t announced_, written_ = 0, offset_ = 0;
  ShardIndex index_;
};

}  // namespace dfine::inline shards
