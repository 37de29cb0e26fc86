#pragma once
// Matches of the detections of one image and category with its ground truths, at all IoU thresholds
// and area ranges.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_params.h"
#include "metrics/coco_records.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// For each area range, a bit an IoU threshold; neither bit: the detection does not count there.
struct MatchBits {
  std::array<IouBits, kCocoAreas> true_positive{}, false_positive{};
};

/// What became of one detection.
struct MatchOutcome {
  double score;
  uint32_t rank;  // place among the detections of its image and category, 0 is the best score
  uint32_t bits;  // a place in a list of MatchBits. Without an overlap: kUnmatched, with a bit for
                  // each area range in which the detection is a false positive
  static constexpr uint32_t kUnmatched = uint32_t{1} << 31;
};

/// Of some images of one category. The outcomes are by image, then by rank.
struct MatchOutcomes {
  std::vector<MatchOutcome> list;
  std::vector<MatchBits> bits;
};

/// Holds working memory between calls; one for each thread. Keeps a reference to `params`.
class CocoMatcher {
 public:
  explicit CocoMatcher(const CocoParams& params);

  /// `boxes` and `detections` are those of one image and category, in the order given. Appends the
  /// outcomes of the best detections, at most params.limits.back().
  void match(const std::vector<GroundTruthBox>& all_boxes, std::span<const BoxRecord> boxes,
             std::span<const DetectionRecord> detections, MatchOutcomes& out);

 private:
  struct Truth {
    double x1, y1, x2, y2, box_area;
    std::array<bool, kCocoAreas> ignored;  // a crowd, or of another size
    bool crowd, id_zero;
    std::array<IouBits, kCocoAreas> taken;
  };
  struct Candidate {
    double overlap;
    IouBits reach;  // thresholds that the overlap reaches
    Truth* truth;
  };

  void load_truths(const std::vector<GroundTruthBox>& all_boxes, std::span<const BoxRecord> boxes);
  void find_candidates(const DetectionRecord& detection);
  IouBits reach(double overlap) const;
  void match_in_area(size_t area, bool inside, MatchBits& bits);
  const Candidate* best_at(size_t area, size_t iou);

  const CocoParams& params_;
  const IouBits all_ious_;
  std::vector<double> least_overlap_;  // that matches, by threshold
  double least_of_all_;
  std::vector<uint32_t> by_score_;
  std::vector<Truth> truths_;
  std::vector<Candidate> candidates_;  // of the current detection
};

}  // namespace dfine::inline metrics
