#pragma once
// COCO bounding-box evaluation, equal to pycocotools 2.0.11 COCOeval(iouType="bbox") to the last
// bit: the same matching, the same order of floating-point operations. The number of threads
// changes nothing.
//
// Rules that are easily missed, all as in pycocotools:
// - A ground truth belongs to an area range by its `area`, a detection by w*h. Both ends of a range
//   are inclusive.
// - Equal scores keep their order (images by ascending id, then as given). Each image and category
//   keeps its best 100, or as many as the largest limit says.
// - Of ground truths with equal IoU the later one wins. Those that do not count (crowds, other
//   sizes) are tried last, and not at all once a counting one matched.
// - A crowd matches any number of times, by intersection over the area of the detection.
// - A ground truth with annotation id 0 is used up by its match, but the match counts as a false
//   positive (0 means "unmatched" there).
// - Categories without a counting ground truth are -1 and leave every mean.
// - Detections of a category the ground truth does not list are dropped, and ground truths on
//   images or of categories not listed. So they are where all categories count as one.
#include <span>
#include <vector>

#include "metrics/coco_params.h"
#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// Curves for every category, IoU threshold, area range and detection limit. -1 where there is no
/// counting ground truth.
struct CocoEvaluation {
  CocoParams params;
  std::vector<Category> categories;  // K, ascending by id; one with the id -1 without categories
  std::vector<double> precision;     // [K, areas, limits, IoUs, recalls], interpolated
  std::vector<double> scores;        // the same shape: the score at which that recall is reached
  std::vector<double> recall;        // [K, areas, limits, IoUs], the highest reached
  std::vector<int64_t> boxes;        // [K], counting ground truths of any size
  std::vector<int64_t> images;       // [K], that have one of them
  std::vector<int64_t> detections;   // [K], given

  int64_t num_images = 0;           // distinct
  int64_t num_detections = 0;       // given
  int64_t detections_left_out = 0;  // of unknown categories
  int64_t boxes_left_out = 0;       // on unknown images or of unknown categories
  int64_t boxes_with_id_zero = 0;

  size_t recall_index(size_t category, size_t area, size_t limit, size_t iou) const {
    return ((category * kCocoAreas + area) * params.limits.size() + limit) * params.ious.size() +
           iou;
  }
  size_t curve_index(size_t category, size_t area, size_t limit, size_t iou,
                     size_t recall_threshold = 0) const {
    return recall_index(category, area, limit, iou) * kCocoRecalls + recall_threshold;
  }
};

/// Evaluates all images and categories of `truth`. `threads` 0 takes one for every core. Warns
/// (core/log.h) of what is dropped and of annotation id 0. Throws Error on
/// - detections on images that `truth` does not list;
/// - duplicate annotation ids;
/// - values that are not finite;
/// - what CocoParams::check() refuses.
CocoEvaluation evaluate_coco(const GroundTruth& truth, std::span<const Detection> detections,
                             int threads = 0, const CocoParams& params = {});

}  // namespace dfine::inline metrics
