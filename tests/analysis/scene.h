#pragma once
// Small ground truths and detections for the tests of src/analysis.
#include "metrics/coco_types.h"

namespace dfine {

/// Image 1 if not said otherwise; classes 1 ("cat") and 2 ("dog").
struct Scene {
  GroundTruth truth{.image_ids = {1, 2},
                    .categories = {{.id = 1, .name = "cat"}, {.id = 2, .name = "dog"}},
                    .boxes = {}};
  std::vector<Detection> detections;

  void box(int64_t category, std::array<double, 4> xywh, bool crowd = false, int64_t image = 1) {
    truth.boxes.push_back({.image_id = image,
                           .category_id = category,
                           .annotation_id = static_cast<int64_t>(truth.boxes.size()) + 1,
                           .xywh = xywh,
                           .area = xywh[2] * xywh[3],
                           .iscrowd = crowd});
  }
  void detect(int64_t category, std::array<double, 4> xywh, double score, int64_t image = 1) {
    detections.push_back(
        {.image_id = image, .category_id = category, .xywh = xywh, .score = score});
  }
};

}  // namespace dfine
