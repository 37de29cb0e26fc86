#pragma once
// A pack as training and evaluation use it.
//
//   const PackedDataset set = PackedDataset::open("data/train");
//   for (size_t i = 0; i < set.size(); ++i) {
//     const std::vector<uint8_t> file = set.read_bytes(i);           // any thread
//     for (const LabelledBox& box : set.training_boxes(i)) ...
//   }
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/labelled_box.h"
#include "data/category.h"
#include "data/shards/reader.h"

namespace dfine::inline shards {

struct PackedBox {
  std::array<double, 4> xywh{};  // x, y, w, h in pixels, as in the annotation file
  double area = 0;               // as in the annotation file (a mask's area, say), or w * h
  int64_t annotation_id = 0;     // as in the annotation file
  int32_t label = 0;             // 0..C-1
  bool iscrowd = false;
  bool dropped = false;  // no area inside the image

  /// Crowds and boxes without area are no training targets (as in the official loader).
  bool trains() const { return !iscrowd && !dropped; }
};

struct PackedImage {
  int64_t id = 0;                 // as in the annotation file
  int32_t width = 0, height = 0;  // pixels, of the file
  std::string_view file_name;     // as in the annotation file; lives as long as the dataset
  std::string_view shard;         // "shard-00000.h5"
};

/// Index and image files both stay on disk. The index is mapped, so that it lies in memory once for
/// all ranks of a node, in the page cache. A process itself keeps some hundred bytes per shard,
/// nothing for an image or a box. Any thread may call any member.
class PackedDataset {
 public:
  /// Maps the shards' indexes and checks manifest, index checksums and values; throws an Error that
  /// names the file and what is wrong with it. Nobody may change the pack's files afterwards;
  /// replacing the whole folder is fine.
  static PackedDataset open(const std::filesystem::path& folder);

  /// The same pack with its labels renumbered: the class that has label l now gets label_of[l], in
  /// every box and in categories(). `label_of` must be a permutation of 0..C-1; Error otherwise.
  PackedDataset relabelled(const std::vector<int64_t>& label_of) &&;
  /// The same pack with other class names, one for each label.
  PackedDataset renamed(const std::vector<std::string>& names) &&;

  size_t size() const { return first_.back(); }
  PackedImage image(size_t i) const;

  /// The image file as it was packed; throws an Error that names shard, record and file when its
  /// checksum is wrong.
  std::vector<uint8_t> read_bytes(size_t i) const;
  /// The same into `bytes`, whose memory is used again.
  void read_bytes(size_t i, std::vector<uint8_t>& bytes) const;
  /// Says that read_bytes(i) will come soon, so that the system can fetch it meanwhile.
  void prefetch(size_t i) const noexcept;
  /// "record 3 ("a.jpg", image id 7) of data/train/shard-00000.h5".
  std::string describe(size_t i) const;

  /// All annotations of image i in order of the annotation file: crowds, and boxes without area
  /// too, as COCO evaluation counts them.
  std::vector<PackedBox> evaluation_boxes(size_t i) const;
  /// Those that are training targets, clipped to the image, in the same order.
  std::vector<LabelledBox> training_boxes(size_t i) const;

  /// In order of the labels.
  const std::vector<Category>& categories() const { return categories_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// CRC-32C of the pack's manifest, which has those of all indexes, and these of all image files:
  /// 8 hexadecimal digits. Packs with the same one hold the same data.
  const std::string& checksum() const { return checksum_; }

 private:
  struct OpenShard {
    std::string name;
    ShardBytes bytes;
    MappedFile mapping;
    MappedIndex index;
  };
  struct Place {
    const OpenShard& shard;
    size_t record;
  };

  PackedDataset() = default;
  Place find(size_t i) const;
  PackedBox box(const MappedIndex::Boxes& boxes, size_t b, bool dropped) const;

  std::filesystem::path folder_;
  std::string checksum_;
  std::vector<Category> categories_;
  std::vector<int32_t> label_of_;  // [C] by label on disk
  std::vector<OpenShard> shards_;
  std::vector<size_t> first_{0};  // [shards + 1] each shard's first image
};

}  // namespace dfine::inline shards
