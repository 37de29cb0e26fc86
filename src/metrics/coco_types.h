#pragma once
// Flat inputs of COCO evaluation. They may come from JSON files (metrics/coco_json.h) or from a
// packed dataset: evaluation knows nothing of files. Boxes are the annotation's own pixels in
// double, because exact equality with pycocotools needs its exact numbers.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine::inline metrics {

struct GroundTruthBox {
  int64_t image_id = 0;
  int64_t category_id = 0;
  int64_t annotation_id = 0;
  std::array<double, 4> xywh{};  // pixels, top left corner and size
  double area = 0;  // the annotation's own (often of its mask): it decides small, medium, large
  bool iscrowd = false;
};

/// Order matters where scores or overlaps tie: `boxes` as in the annotation file. Images and
/// categories in any order.
struct GroundTruth {
  std::vector<int64_t> image_ids;  // every image that counts, also those without boxes
  std::vector<Category> categories;
  std::vector<GroundTruthBox> boxes;
  std::vector<std::string> file_names = {};  // [images]; empty where they are not known
};

struct Detection {
  int64_t image_id = 0;
  int64_t category_id = 0;
  std::array<double, 4> xywh{};  // pixels; its area is w*h
  double score = 0;
};

}  // namespace dfine::inline metrics
