#pragma once
// manifest.json of a pack: what must be there. Everything in it is checked against the shards, and
// against a checksum of its own.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine::inline shards {

inline constexpr const char* kManifestName = "manifest.json";

struct ShardEntry {
  std::string file;  // "shard-00000.h5"
  uint64_t images = 0, boxes = 0, dropped_boxes = 0;
  uint64_t image_bytes = 0;         // of the image files in it: the size of image/bytes
  uint64_t image_bytes_offset = 0;  // where image/bytes begins in the file
  uint64_t file_bytes = 0;          // of the shard itself
  uint32_t index_crc32c = 0;        // see data/shards/format.h
  bool operator==(const ShardEntry&) const = default;
};

struct Manifest {
  std::vector<Category> categories;  // ascending ids: in order of the labels
  std::vector<ShardEntry> shards;    // in order of the images

  /// Sums over the shards; no file, offset or checksum.
  ShardEntry totals() const;
};

/// Sums over shards, as Manifest::totals().
ShardEntry sum_of(const std::vector<ShardEntry>& shards);

/// The manifest as its file holds it.
std::string manifest_text(const Manifest& manifest);

/// Throws Error when the folder does not exist, is a file or holds no manifest (the hint names
/// packs in it). It also throws for a manifest that is of another format or version, contradicts
/// itself, or lists a shard twice or out of order. A checksum that does not fit is an Error too;
/// manifests of earlier versions have none.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace dfine::inline shards
