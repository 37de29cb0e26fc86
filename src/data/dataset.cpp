#include "data/dataset.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "data/manifest.h"

namespace dfine {
namespace {

PackedBox common_part(const ShardIndex::Boxes& boxes, size_t b) {
  PackedBox box;
  std::copy_n(boxes.xywh.begin() + static_cast<std::ptrdiff_t>(4 * b), 4, box.xywh.begin());
  box.area = boxes.area[b];
  box.annotation_id = boxes.annotation_id[b];
  box.label = boxes.label[b];
  box.iscrowd = boxes.iscrowd[b] != 0;
  return box;
}

}  // namespace

PackedDataset PackedDataset::open(const std::filesystem::path& folder) {
  const Manifest manifest = read_manifest(folder);
  PackedDataset set;
  set.folder_ = folder;
  set.categories_ = manifest.categories;
  set.first_.push_back(0);
  for (const auto& entry : manifest.shards) set.append(open_shard(folder, entry, manifest.categories), entry.file);
  set.images_.shrink_to_fit();
  set.boxes_.shrink_to_fit();
  return set;
}

void PackedDataset::append(Shard shard, std::string_view name) {
  const ShardIndex& index = shard.index;
  for (size_t r = 0; r < index.images(); ++r) {
    Image image;
    image.offset = index.offset[r];
    image.size = index.size[r];
    image.id = index.id[r];
    image.crc32c = index.crc32c[r];
    image.shard = static_cast<uint32_t>(shards_.size());
    image.record = static_cast<uint32_t>(r);
    image.width = index.width[r];
    image.height = index.height[r];
    append_boxes(index, r);
    first_.push_back(boxes_.size());
    images_.push_back(image);
    file_names_.add(index.file_name[r]);
    const auto boxes = evaluation_boxes(images_.size() - 1);
    images_.back().training_boxes = static_cast<uint32_t>(std::ranges::count_if(boxes, &PackedBox::trains));
  }
  shards_.push_back(std::move(shard.bytes));
  shard_names_.add(name);
}

/// Puts the dropped boxes back in their places among the others.
void PackedDataset::append_boxes(const ShardIndex& index, size_t record) {
  uint64_t kept = index.box.first[record], dropped = index.dropped.first[record];
  const uint64_t dropped_end = index.dropped.first[record + 1];
  const uint64_t count = index.box.first[record + 1] - kept + dropped_end - dropped;
  for (uint64_t place = 0; place < count; ++place) {
    if (dropped < dropped_end && index.position[dropped] == place) {
      boxes_.push_back(common_part(index.dropped, dropped++));
      boxes_.back().dropped = true;
    } else {
      boxes_.push_back(common_part(index.box, kept));
      std::copy_n(index.cxcywh.begin() + static_cast<std::ptrdiff_t>(4 * kept++), 4, boxes_.back().cxcywh.begin());
    }
  }
}

PackedImage PackedDataset::image(size_t i) const {
  const Image& image = images_[i];
  return {image.id, image.width, image.height, file_names_[i], shard_names_[image.shard]};
}

std::vector<uint8_t> PackedDataset::read_bytes(size_t i) const {
  std::vector<uint8_t> bytes;
  read_bytes(i, bytes);
  return bytes;
}

void PackedDataset::read_bytes(size_t i, std::vector<uint8_t>& bytes) const {
  const Image& image = images_[i];
  with_context([&] { shards_[image.shard].read(image.offset, image.size, image.crc32c, bytes); },
               [&] {
                 return cat("record ", image.record, " (\"", file_names_[i], "\", image id ", image.id, ") of ",
                            (folder_ / shard_names_[image.shard]).string());
               });
}

}  // namespace dfine
