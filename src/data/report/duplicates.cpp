#include "data/report/duplicates.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline report {

void DuplicateFinder::add(const ShardIndex& index, ShardBytes bytes, std::string file) {
  const size_t first = files_.size();
  for (size_t r = 0; r < index.images(); ++r) {
    files_.push_back(
        {index.offset[r], index.size[r], index.crc32c[r], static_cast<uint32_t>(shards_.size())});
    names_.add(index.file_name[r]);
    by_key_[key_of(files_.back())].push_back(static_cast<uint32_t>(files_.size() - 1));
  }
  shards_.push_back({std::move(bytes), std::move(file), first});
}

std::vector<uint8_t> DuplicateFinder::bytes_of(size_t i) const {
  const File& file = files_[i];
  std::vector<uint8_t> bytes;
  const OpenShard& shard = shards_[file.shard];
  const ErrorContext at("in record ", i - shard.first, " (\"", names_[i], "\") of ", shard.file);
  shard.bytes.read(file.offset, file.size, file.crc32c, bytes);
  return bytes;
}

bool DuplicateFinder::alike(const File& a, const File& b) {
  return a.size == b.size && a.crc32c == b.crc32c;
}

std::vector<std::vector<std::string>> DuplicateFinder::duplicates() const {
  std::vector<std::vector<std::string>> groups;
  std::vector<bool> grouped(files_.size(), false);
  for (size_t i = 0; i < files_.size(); ++i) {
    const std::vector<uint32_t>& candidates = by_key_.at(key_of(files_[i]));
    if (grouped[i] || candidates.back() == i) continue;
    std::vector<std::string> group{std::string(names_[i])};
    const std::vector<uint8_t> bytes = bytes_of(i);
    for (const uint32_t k : candidates) {
      if (k <= i || grouped[k] || !alike(files_[i], files_[k]) || bytes_of(k) != bytes) continue;
      group.emplace_back(names_[k]);
      grouped[k] = true;
    }
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<DuplicateFinder::Pair> DuplicateFinder::also_in(const DuplicateFinder& other) const {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < files_.size(); ++i) {
    const auto candidates = other.by_key_.find(key_of(files_[i]));
    if (candidates == other.by_key_.end()) continue;
    for (const uint32_t k : candidates->second) {
      if (!alike(files_[i], other.files_[k]) || bytes_of(i) != other.bytes_of(k)) continue;
      pairs.push_back({std::string(names_[i]), std::string(other.names_[k])});
      break;
    }
  }
  return pairs;
}

}  // namespace dfine::inline report
