#pragma once
#include <filesystem>
#include <span>
#include <vector>

#include "data/category.h"
#include "data/shards/format.h"
#include "data/shards/hdf5_file.h"
#include "data/shards/manifest.h"
#include "files/byte_file.h"
#include "files/mapped_file.h"

namespace dfine::inline shards {

/// Reads image files out of a shard by plain reads at their place, past the HDF5 library and its
/// lock. Any thread may call it.
class ShardBytes {
 public:
  ShardBytes(ByteFile file, uint64_t offset) : file_(std::move(file)), base_(offset) {}

  /// The `size` bytes at `offset` of image/bytes; throws Error when their checksum is not `crc32c`.
  void read(uint64_t offset, uint64_t size, uint32_t crc32c, std::vector<uint8_t>& bytes) const;
  /// Says that read() of these bytes will come soon.
  void prefetch(uint64_t offset, uint64_t size) const noexcept {
    file_.prefetch(base_ + offset, size);
  }

 private:
  ByteFile file_;
  uint64_t base_;
};

/// The index where it lies in the file.
using MappedIndex = ShardArrays<MappedArray, MappedStrings>;

struct Shard {
  ShardIndex index;
  ShardBytes bytes;
  MappedFile mapping;
  MappedIndex mapped;  // the same values as `index`, in `mapping`
};

/// Opens `folder/entry.file` and reads its index. Throws an Error that names the file when it is
/// missing, cut short, damaged (checksum of the index) or inconsistent. A shard that the manifest
/// does not describe is an Error too.
Shard open_shard(const std::filesystem::path& folder, const ShardEntry& entry,
                 std::span<const Category> categories);

}  // namespace dfine::inline shards
