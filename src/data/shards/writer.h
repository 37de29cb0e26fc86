#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "data/annotation_set.h"
#include "data/box_policy.h"
#include "data/shards/format.h"
#include "data/shards/hdf5_file.h"
#include "data/shards/manifest.h"

namespace dfine::inline shards {

/// An annotation and what of it lies inside its image; nothing: training cannot use it.
struct PlacedBox {
  const CocoAnnotation* annotation = nullptr;
  std::optional<NormalisedBox> box;
};

/// Writes one shard, image by image.
class ShardWriter {
 public:
  /// `image_bytes`: of all files that will be added together, as the place for them is set aside at
  /// once.
  ShardWriter(const std::filesystem::path& path, uint64_t image_bytes);

  /// Adds a file as it is. `image` has its true width and height; `boxes` are its annotations in
  /// order of the annotation file.
  void add(const CocoImage& image, std::span<const uint8_t> bytes, uint32_t crc32c,
           std::span<const PlacedBox> boxes);

  /// Writes the index and closes the file. Call once, after as many bytes as announced.
  ShardEntry finish(std::span<const Category> categories);

 private:
  std::filesystem::path path_;
  Hdf5Writer file_;
  uint64_t announced_, written_ = 0, offset_ = 0;
  ShardIndex index_;
};

}  // namespace dfine::inline shards
