#pragma once
// Ground truths and detections in the order in which COCO evaluation takes them: by category, then
// by image.
#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

struct BoxRecord {
  uint32_t image;  // place among the distinct image ids, ascending
  uint32_t index;  // into the ground truth's boxes
};

/// What matching needs of a detection, so that it reads memory in one direction.
struct DetectionRecord {
  double x, y, w, h, score;
  uint32_t image;
};

/// Records of one category and image are in the order given. Without categories there is one
/// category, and those of one image are in order of category id, then as given.
struct CocoRecords {
  std::vector<Category> categories;  // K, ascending by id, each once; or one of the id -1
  std::vector<BoxRecord> boxes;
  std::vector<DetectionRecord> detections;
  std::vector<uint32_t> box_begin, detection_begin;  // [K + 1], into boxes and detections

  int64_t num_images = 0;           // distinct
  int64_t boxes_left_out = 0;       // on unknown images or of unknown categories
  int64_t detections_left_out = 0;  // of unknown categories
};

/// Throws Error on detections on images that `truth` does not list (it names them) and on
/// detections that are not finite. The result does not depend on the number of threads.
CocoRecords coco_records(const GroundTruth& truth, std::span<const Detection> detections,
                         bool by_category, ThreadPool& pool);

}  // namespace dfine::inline metrics
