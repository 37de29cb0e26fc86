#include "data/image_contents.h"

#include <utility>

namespace dfine {

void ImageContents::add(const ShardIndex& index, ShardBytes bytes) {
  for (size_t r = 0; r < index.images(); ++r) {
    files_.push_back({index.offset[r], index.size[r], index.crc32c[r], static_cast<uint32_t>(shards_.size())});
    names_.add(index.file_name[r]);
    by_key_[key_of(files_.back())].push_back(static_cast<uint32_t>(files_.size() - 1));
  }
  shards_.push_back(std::move(bytes));
}

bool ImageContents::same(const ImageContents& a, size_t i, const ImageContents& b, size_t k) {
  const File &x = a.files_[i], &y = b.files_[k];
  if (x.size != y.size || x.crc32c != y.crc32c) return false;
  std::vector<uint8_t> here, there;
  a.shards_[x.shard].read(x.offset, x.size, x.crc32c, here);
  b.shards_[y.shard].read(y.offset, y.size, y.crc32c, there);
  return here == there;
}

std::vector<std::vector<std::string>> ImageContents::duplicates() const {
  std::vector<std::vector<std::string>> groups;
  for (size_t i = 0; i < files_.size(); ++i) {
    const std::vector<uint32_t>& alike = by_key_.at(key_of(files_[i]));
    if (alike.size() < 2) continue;
    bool is_first = true;
    std::vector<std::string> group{std::string(names_[i])};
    for (const uint32_t k : alike) {
      if (k == i || !same(*this, i, *this, k)) continue;
      if (k < i) is_first = false;
      if (!is_first) break;
      group.emplace_back(names_[k]);
    }
    if (is_first && group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<ImageContents::Pair> ImageContents::also_in(const ImageContents& other) const {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < files_.size(); ++i) {
    const auto alike = other.by_key_.find(key_of(files_[i]));
    if (alike == other.by_key_.end()) continue;
    for (const uint32_t k : alike->second) {
      if (!same(*this, i, other, k)) continue;
      pairs.push_back({std::string(names_[i]), std::string(other.names_[k])});
      break;
    }
  }
  return pairs;
}

}  // namespace dfine
