#include "data/shards/dataset.h"

#include <algorithm>
#include <numeric>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/box_policy.h"
#include "data/shards/manifest.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

std::array<double, 4> xywh_of(const MappedIndex::Boxes& boxes, size_t b) {
  std::array<double, 4> xywh{};
  for (size_t k = 0; k < 4; ++k) xywh[k] = boxes.xywh[4 * b + k];
  return xywh;
}

}  // namespace

PackedBox PackedDataset::box(const MappedIndex::Boxes& boxes, size_t b, bool dropped) const {
  return {.xywh = xywh_of(boxes, b),
          .area = boxes.area[b],
          .annotation_id = boxes.annotation_id[b],
          .label = label_of_[static_cast<size_t>(boxes.label[b])],
          .iscrowd = boxes.iscrowd[b] != 0,
          .dropped = dropped};
}

PackedDataset PackedDataset::open(const std::filesystem::path& folder) {
  const Manifest manifest = read_manifest(folder);
  PackedDataset set;
  set.folder_ = folder;
  set.checksum_ = checksum_text(crc32c(manifest_text(manifest)));
  set.categories_ = manifest.categories;
  set.label_of_.resize(set.categories_.size());
  std::iota(set.label_of_.begin(), set.label_of_.end(), 0);
  for (const auto& entry : manifest.shards) {
    Shard shard = open_shard(folder, entry, manifest.categories);
    set.first_.push_back(set.size() + shard.index.images());
    set.shards_.push_back(
        {entry.file, std::move(shard.bytes), std::move(shard.mapping), shard.mapped});
  }
  return set;
}

PackedDataset PackedDataset::relabelled(const std::vector<int64_t>& label_of) && {
  const size_t classes = categories_.size();
  std::vector<int64_t> sorted = label_of;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(classes);
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all)
    throw Error(kInternal, str_cat("the labels of ", folder_.string(),
                                   " cannot be renumbered: not a permutation"));
  std::vector<Category> categories(classes);
  std::vector<int32_t> composed(classes);
  for (size_t label = 0; label < classes; ++label)
    categories[static_cast<size_t>(label_of[label])] = categories_[label];
  for (size_t stored = 0; stored < classes; ++stored)
    composed[stored] = static_cast<int32_t>(label_of[static_cast<size_t>(label_of_[stored])]);
  categories_ = std::move(categories);
  label_of_ = std::move(composed);
  return std::move(*this);
}

PackedDataset PackedDataset::renamed(const std::vector<std::string>& names) && {
  if (names.size() != categories_.size())
    throw Error(kInternal, str_cat(names.size(), " names for the ", categories_.size(),
                                   " classes of ", folder_.string()));
  for (size_t label = 0; label < names.size(); ++label) categories_[label].name = names[label];
  return std::move(*this);
}

PackedDataset::Place PackedDataset::find(size_t i) const {
  const auto after = std::upper_bound(first_.begin(), first_.end(), i);
  const auto shard = static_cast<size_t>(after - first_.begin()) - 1;
  return {shards_[shard], i - first_[shard]};
}

PackedImage PackedDataset::image(size_t i) const {
  const auto [shard, r] = find(i);
  return {shard.index.id[r], shard.index.width[r], shard.index.height[r], shard.index.file_name[r],
          shard.name};
}

std::vector<PackedBox> PackedDataset::evaluation_boxes(size_t i) const {
  const auto [shard, r] = find(i);
  const MappedIndex& index = shard.index;
  uint64_t kept = index.box.first[r], dropped = index.dropped.first[r];
  const uint64_t kept_end = index.box.first[r + 1], dropped_end = index.dropped.first[r + 1];
  std::vector<PackedBox> boxes;
  boxes.reserve(kept_end - kept + dropped_end - dropped);
  while (kept < kept_end ||
         dropped < dropped_end) {  // the dropped ones go back to their places among the others
    const bool is_dropped = dropped < dropped_end && index.position[dropped] == boxes.size();
    boxes.push_back(is_dropped ? box(index.dropped, dropped++, true)
                               : box(index.box, kept++, false));
  }
  return boxes;
}

std::vector<LabelledBox> PackedDataset::training_boxes(size_t i) const {
  const auto [shard, r] = find(i);
  const MappedIndex& index = shard.index;
  std::vector<LabelledBox> boxes;
  for (uint64_t b = index.box.first[r]; b < index.box.first[r + 1]; ++b) {
    if (index.box.iscrowd[b] != 0) continue;
    const auto xyxy = clip_box(xywh_of(index.box, b), index.width[r], index.height[r]);
    if (!xyxy) {
      throw Error(kFileDamaged, str_cat(describe(i), ": box ", b, " has no area inside the image"),
                  "pack the dataset again");
    }
    boxes.push_back({*xyxy, label_of_[static_cast<size_t>(index.box.label[b])]});
  }
  return boxes;
}

std::vector<uint8_t> PackedDataset::read_bytes(size_t i) const {
  std::vector<uint8_t> bytes;
  read_bytes(i, bytes);
  return bytes;
}

void PackedDataset::read_bytes(size_t i, std::vector<uint8_t>& bytes) const {
  const auto [shard, r] = find(i);
  const ErrorContext at([&] { return describe(i); });
  shard.bytes.read(shard.index.offset[r], shard.index.size[r], shard.index.crc32c[r], bytes);
}

void PackedDataset::prefetch(size_t i) const noexcept {
  const auto [shard, r] = find(i);
  shard.bytes.prefetch(shard.index.offset[r], shard.index.size[r]);
}

std::string PackedDataset::describe(size_t i) const {
  const auto [shard, r] = find(i);
  return str_cat("record ", r, " (\"", printable(shard.index.file_name[r]), "\", image id ",
                 shard.index.id[r], ") of ", printable(folder_ / shard.name));
}

}  // namespace dfine::inline shards
