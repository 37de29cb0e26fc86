#pragma once
// MatchedIndices of the detections of one image and category to its ground truths, at all IoU
// thresholds and area ranges.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_params.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// What became of one detection. For each area range, a bit an IoU threshold; neither bit: the
/// detection does not count there.
struct MatchOutcome {
  double score;
  uint32_t rank;  // place among the detections of its image and category, 0 is the best score
  std::array<IouBits, kCocoAreas> true_positive, false_positive;
};

/// Holds working memory between calls; one for each thread.
class CocoMatcher {
 public:
  /// `boxes` and `detections` are the indices of one group, in the order given. Writes the outcomes
  /// of the best detections, as many as `outcomes` holds, in order of rank.
  void match(std::span<const GroundTruthBox> all_boxes, std::span<const uint32_t> boxes,
             std::span<const Detection> all_detections, std::span<const uint32_t> detections,
             std::span<MatchOutcome> outcomes);

 private:
  struct Truth {
    double x1, y1, x2, y2, box_area;
    bool crowd, id_zero;
  };
  /// The ground truths as one area range sees them.
  struct AreaView {
    std::vector<uint32_t> order;  // counting ones first
    std::vector<uint8_t> ignored;
    std::vector<IouBits> taken;
  };

  void load_truths(std::span<const GroundTruthBox> all_boxes, std::span<const uint32_t> boxes);
  bool compute_overlaps(const Detection& detection);
  void match_in_area(AreaView& view, bool inside, IouBits& true_positive, IouBits& false_positive);

  std::vector<uint32_t> by_score_;
  std::vector<Truth> truths_;
  std::vector<double> overlaps_;  // of the current detection with each truth
  std::vector<uint32_t> candidates_;
  std::array<AreaView, kCocoAreas> views_;
};

}  // namespace dfine::inline metrics
