#pragma once
// What becomes of each detection at one IoU threshold. Curves, thresholds, calibration and the
// report page all count these outcomes, so their numbers agree.
//
// A detection is matched as in COCO evaluation (pycocotools' COCOeval, area range "all"), within
// one image and one class:
// - Detections come by descending score, equal scores in the order given. The first 100 of an image
//   and class count, as in COCO. So the curve of a class is the one under its AP.
// - Each takes the free box with the highest IoU of at least the threshold. Of equal ones the later
//   in the file wins. It is a true positive, and the box is no longer free.
// - Else it may match a crowd: half of the detection's area is inside. Any number of detections may
//   do so. They are ignored, neither true nor false.
// - Else it is a false positive.
//
// No outcome depends on a score threshold. A detection is matched after all with higher scores and
// before all with lower ones. A threshold removes a tail of that order, so what remains is matched
// as before. Hence the true positives at threshold t are those of this list with score >= t. A box
// is found at t if its detection (`found_by`) has such a score.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/inputs.h"
#include "core/thread_pool.h"

namespace dfine::inline analysis {

enum class Outcome : uint8_t {
  kTruePositive,
  kFalsePositive,
  kIgnored,     // in a crowd
  kNotCounted,  // past the limit of its image and class, or of an unknown category
};

struct DetectionMatch {
  Outcome outcome = Outcome::kNotCounted;
  uint32_t box = kNoIndex;  // of the ground truth: a true positive's box, an ignored one's crowd
};

struct Matches {
  std::vector<DetectionMatch> detections;  // [detections], in the order given
  std::vector<uint32_t> found_by;          // [boxes] its true positive, or kNoIndex
  std::vector<uint8_t> box_counts;         // [boxes] 1: to be found; 0: a crowd, or dropped
  std::vector<int64_t> positives;          // [classes] boxes that count
};

struct MatchOptions {
  double iou = 0.5;
  size_t detection_limit = 100;  // of one image and class, the best scores
};

/// As in pycocotools, a box with annotation id 0 is taken but its detection counts as false. A box
/// or an unmatched detection with an area outside [0, 1e10] is ignored.
Matches match_detections(const Inputs& in, const MatchOptions& options, ThreadPool& pool);

}  // namespace dfine::inline analysis
