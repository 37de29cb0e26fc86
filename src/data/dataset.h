#pragma once
// A pack as training and evaluation use it.
//
//   const PackedDataset set = PackedDataset::open("data/train");
//   for (size_t i = 0; i < set.size(); ++i) {
//     const std::vector<uint8_t> file = set.read_bytes(i);           // any thread
//     for (const PackedBox& box : set.training_boxes(i)) ...
//   }
#include <array>
#include <cstdint>
#include <filesystem>
#include <ranges>
#include <span>
#include <string_view>
#include <vector>

#include "data/category.h"
#include "data/name_table.h"
#include "data/shard_reader.h"

namespace dfine {

struct PackedBox {
  std::array<double, 4> xywh{};   // x, y, w, h in pixels, as in the annotation file
  double area = 0;                // as in the annotation file (a mask's area, say), or w * h
  int64_t annotation_id = 0;      // as in the annotation file
  std::array<float, 4> cxcywh{};  // in [0, 1], clipped to the image; all zero when `dropped`
  int32_t label = 0;              // 0..C-1
  bool iscrowd = false;
  bool dropped = false;  // no area inside the image

  /// Crowds and boxes without area are no training targets (as in the official loader).
  bool trains() const { return !iscrowd && !dropped; }
};

struct PackedImage {
  int64_t id = 0;                 // as in the annotation file
  int32_t width = 0, height = 0;  // pixels, of the file
  std::string_view file_name;     // as in the annotation file; lives as long as the data set
  std::string_view shard;         // "shard-00000.h5"
};

/// The index lives in flat arrays read once (72 bytes a box, 45 and the file name an image); the image files stay on disk.
class PackedDataset {
 public:
  /// Reads manifest and shard indexes and checks them; throws an Error that names the file and what is wrong with it.
  static PackedDataset open(const std::filesystem::path& folder);

  size_t size() const { return images_.size(); }
  PackedImage image(size_t i) const;

  /// The image file as it was packed; throws an Error that names shard, record and file when its checksum is wrong. Any thread may call
  /// this.
  std::vector<uint8_t> read_bytes(size_t i) const;
  /// The same into `bytes`, whose memory is used again.
  void read_bytes(size_t i, std::vector<uint8_t>& bytes) const;

  /// All annotations of image i in order of the annotation file: crowds, and boxes without area too, as COCO evaluation counts them.
  std::span<const PackedBox> evaluation_boxes(size_t i) const { return std::span(boxes_).subspan(first_[i], first_[i + 1] - first_[i]); }
  /// Those that are training targets, in the same order; a range of const PackedBox&.
  auto training_boxes(size_t i) const { return evaluation_boxes(i) | std::views::filter(&PackedBox::trains); }
  size_t training_box_count(size_t i) const { return images_[i].training_boxes; }

  /// In order of the labels.
  const std::vector<Category>& categories() const { return categories_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Image {
    uint64_t offset = 0, size = 0;  // in image/bytes of its shard
    int64_t id = 0;
    uint32_t crc32c = 0, shard = 0, record = 0, training_boxes = 0;
    int32_t width = 0, height = 0;
  };

  PackedDataset() = default;
  void append(Shard shard, std::string_view name);
  void append_boxes(const ShardIndex& index, size_t record);

  std::filesystem::path folder_;
  std::vector<Category> categories_;
  std::vector<ShardBytes> shards_;
  NameTable shard_names_, file_names_;
  std::vector<Image> images_;
  std::vector<uint64_t> first_;  // [images + 1]
  std::vector<PackedBox> boxes_;
};

}  // namespace dfine
