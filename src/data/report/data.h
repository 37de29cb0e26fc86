#pragma once
// What report.html shows of a pack, gathered from its shards.
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/category.h"
#include "data/report/counts.h"
#include "data/shards/manifest.h"
#include "data/shards/reader.h"

namespace dfine::inline report {

/// Names of which the first kKept are kept.
struct NameList {
  static constexpr size_t kKept = 10000;
  size_t count = 0;
  std::vector<std::string> first;
  void add(std::string name) {
    if (count++ < kKept) first.push_back(std::move(name));
  }
};

struct ReportData {
  /// Bins [edge k - 1, edge k); the first begins at zero, the last has no end.
  static constexpr std::array<double, 9> kSizeEdges{
      4, 8, 16, 32, 64, 128, 256, 512, 1024};  // sqrt(width * height) in pixels
  static constexpr std::array<double, 7> kAspectEdges{0.125, 0.25, 0.5, 1,
                                                      2,     4,    8};  // width / height
  static constexpr std::array<double, 10> kPerImageEdges{
      1, 2, 3, 5, 9, 17, 33, 65, 129, 257};  // training boxes of an image
  static constexpr std::array<double, 2> kCocoAreaEdges{32.0 * 32,
                                                        96.0 * 96};  // COCO's small, medium, large

  struct OfClass {
    size_t images = 0, boxes = 0, crowds = 0;  // boxes: training targets
  };

  std::vector<Category> categories;
  std::vector<OfClass> classes;  // in order of the labels
  size_t images = 0, boxes = 0, crowds = 0;
  uint64_t image_bytes = 0;
  std::array<size_t, kSizeEdges.size() + 1> sizes{};
  std::array<size_t, kAspectEdges.size() + 1> aspects{};
  std::array<size_t, kPerImageEdges.size() + 1> per_image{};
  std::array<size_t, kCocoAreaEdges.size() + 1> coco_areas{};
  std::map<std::pair<int32_t, int32_t>, size_t> image_sizes;  // (width, height) -> images
  NameList empty_images, clipped, dropped;  // file names; boxes with class and annotation id

  explicit ReportData(std::vector<Category> of_pack)
      : categories(std::move(of_pack)), classes(categories.size()) {}
  /// Adds the images of a shard that follows.
  void add(const ShardIndex& index);
};

}  // namespace dfine::inline report
