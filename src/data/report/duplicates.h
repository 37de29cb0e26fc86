#pragma once
// Which images are the same file, byte for byte.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/shards/reader.h"

namespace dfine::inline report {

/// The image files of a pack by their content.
class DuplicateFinder {
 public:
  /// Takes the shards one after another; `file` names this one in messages.
  void add(const ShardIndex& index, ShardBytes bytes, std::string file);

  // Both read files that are equal in size and checksum, and throw Error, naming the record, where
  // one is damaged.
  /// Groups of two and more equal files, by their names; in order of the first of each.
  std::vector<std::vector<std::string>> duplicates() const;

  struct Pair {
    std::string here, there;
  };
  /// Images that `other` contains too: each with the first equal one there, in order.
  std::vector<Pair> also_in(const DuplicateFinder& other) const;

 private:
  struct File {
    uint64_t offset = 0, size = 0;
    uint32_t crc32c = 0, shard = 0;
  };
  static uint64_t key_of(const File& file) { return file.size << 32 ^ file.crc32c; }
  /// Equal in size and checksum: not yet equal.
  static bool alike(const File& a, const File& b);
  std::vector<uint8_t> bytes_of(size_t i) const;

  struct OpenShard {
    ShardBytes bytes;
    std::string file;
    size_t first;  // image
  };
  std::vector<OpenShard> shards_;
  std::vector<File> files_;
  StringArena names_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> by_key_;  // indices into files_, rising
};

}  // namespace dfine::inline report
