#pragma once
// Which classes the detector takes for which, and what it misses or sees in the background.
#include <cstdint>
#include <vector>

#include "analysis/image_lists.h"
#include "analysis/matches.h"

namespace dfine::inline analysis {

enum class Claim : uint8_t {
  kBox,         // of any class
  kBackground,  // no free box: nothing there, a poor box, or a second detection of the object
  kIgnored,     // at least half of it is in a crowd
  kNotCounted,  // as Outcome::kNotCounted
};

struct ClaimedBox {
  Claim claim = Claim::kNotCounted;
  uint32_t box = kNoIndex;  // of kBox
};

/// Detections matched without regard to class. In each image they come by descending score, equal
/// scores in the order given. Each takes the free box with the highest IoU of at least the
/// threshold (MatchOptions::iou). Of equal ones a box of the same class wins, then the first in the
/// file. Boxes that do not count are never taken: an unmatched detection with half of its area in
/// one is ignored. As with Matches, no score threshold changes what a detection takes.
std::vector<ClaimedBox> claim_boxes(const Inputs& in, const ImageLists& lists,
                                    const Matches& matches, const MatchOptions& options,
                                    ThreadPool& pool);

/// Rows are the classes of the ground truth and, last, the background. Columns are the classes
/// that are predicted and, last, "missed". A row's sum is the class's boxes. The last cell is 0.
struct ConfusionMatrix {
  double threshold = 0;
  size_t classes = 0;
  std::vector<int64_t> counts;  // [classes + 1, classes + 1]

  int64_t at(size_t row, size_t column) const { return counts[row * (classes + 1) + column]; }
};

/// Of the detections with score >= threshold.
ConfusionMatrix confusion_matrix(const Inputs& in, const Matches& matches,
                                 const std::vector<ClaimedBox>& claims, double threshold);

}  // namespace dfine::inline analysis
