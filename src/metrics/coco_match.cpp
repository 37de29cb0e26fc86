#include "metrics/coco_match.h"

#include <algorithm>

namespace dfine::inline metrics {
namespace {

/// The least IoU that matches at threshold t.
constexpr double least_overlap(size_t t) {
  return std::min(kCocoIouThresholds[t], 1 - 1e-10);
}

/// At some threshold. Written so that the overlap of boxes whose area underflows (0/0) matches, as
/// it does in pycocotools.
constexpr bool could_match(double overlap) {
  return !(overlap < least_overlap(0));
}

}  // namespace

void CocoMatcher::load_truths(std::span<const GroundTruthBox> all_boxes,
                              std::span<const uint32_t> boxes) {
  truths_.clear();
  for (const uint32_t i : boxes) {
    const auto& [x, y, w, h] = all_boxes[i].xywh;
    truths_.push_back({.x1 = x,
                       .y1 = y,
                       .x2 = w + x,
                       .y2 = h + y,
                       .box_area = w * h,
                       .crowd = all_boxes[i].iscrowd,
                       .id_zero = all_boxes[i].annotation_id == 0});
  }
  for (size_t a = 0; a < kCocoAreas; ++a) {
    AreaView& view = views_[a];
    view.taken.assign(truths_.size(), 0);
    view.ignored.resize(truths_.size());
    view.order.clear();
    for (size_t g = 0; g < truths_.size(); ++g) {
      view.ignored[g] = truths_[g].crowd || !kCocoAreaRanges[a].contains(all_boxes[boxes[g]].area);
      if (!view.ignored[g]) view.order.push_back(static_cast<uint32_t>(g));
    }
    for (size_t g = 0; g < truths_.size(); ++g) {
      if (view.ignored[g]) view.order.push_back(static_cast<uint32_t>(g));
    }
  }
}

// The operations and their order are those of bbIou in pycocotools' maskApi.c; the file is compiled
// without contraction to fused multiply-add. False when no overlap matches at any threshold.
bool CocoMatcher::compute_overlaps(const Detection& detection) {
  const auto& [x, y, w, h] = detection.xywh;
  const double x2 = w + x, y2 = h + y, area = w * h;
  overlaps_.resize(truths_.size());
  bool any = false;
  for (size_t g = 0; g < truths_.size(); ++g) {
    const Truth& truth = truths_[g];
    overlaps_[g] = 0;
    const double width = std::min(x2, truth.x2) - std::max(x, truth.x1);
    if (width <= 0) continue;
    const double height = std::min(y2, truth.y2) - std::max(y, truth.y1);
    if (height <= 0) continue;
    const double intersection = width * height;
    overlaps_[g] = intersection / (truth.crowd ? area : area + truth.box_area - intersection);
    any |= could_match(overlaps_[g]);
  }
  return any;
}

void CocoMatcher::match_in_area(AreaView& view, bool inside, IouBits& true_positive,
                                IouBits& false_positive) {
  candidates_.clear();
  for (const uint32_t g : view.order) {
    if (could_match(overlaps_[g])) candidates_.push_back(g);
  }
  constexpr uint32_t kNone = ~0U;
  unsigned matched = 0, ignored = 0;
  for (size_t t = 0; t < kCocoIous; ++t) {
    const unsigned bit = 1U << t;
    double best = least_overlap(t);
    uint32_t match = kNone;
    for (const uint32_t g : candidates_) {
      if ((view.taken[g] & bit) != 0 && !truths_[g].crowd) continue;
      if (match != kNone && !view.ignored[match] && view.ignored[g]) break;
      if (overlaps_[g] < best) continue;
      best = overlaps_[g];
      match = g;
    }
    if (match == kNone) continue;
    view.taken[match] = static_cast<IouBits>(view.taken[match] | bit);
    if (view.ignored[match]) ignored |= bit;
    if (!truths_[match].id_zero) matched |= bit;
  }
  if (!inside) ignored |= ~matched;
  true_positive = static_cast<IouBits>(matched & ~ignored & kAllIous);
  false_positive = static_cast<IouBits>(~matched & ~ignored & kAllIous);
}

void CocoMatcher::match(std::span<const GroundTruthBox> all_boxes, std::span<const uint32_t> boxes,
                        std::span<const Detection> all_detections,
                        std::span<const uint32_t> detections, std::span<MatchOutcome> outcomes) {
  by_score_.assign(detections.begin(), detections.end());
  std::sort(by_score_.begin(), by_score_.end(), [&](uint32_t a, uint32_t b) {
    const double score_a = all_detections[a].score, score_b = all_detections[b].score;
    return score_a != score_b ? score_a > score_b : a < b;
  });
  load_truths(all_boxes, boxes);
  for (uint32_t rank = 0; rank < outcomes.size(); ++rank) {
    const Detection& detection = all_detections[by_score_[rank]];
    MatchOutcome& outcome = outcomes[rank];
    outcome.score = detection.score;
    outcome.rank = rank;
    const double area = detection.xywh[2] * detection.xywh[3];
    const bool overlaps = compute_overlaps(detection);
    for (size_t a = 0; a < kCocoAreas; ++a) {
      const bool inside = kCocoAreaRanges[a].contains(area);
      if (overlaps) {
        match_in_area(views_[a], inside, outcome.true_positive[a], outcome.false_positive[a]);
      } else {
        outcome.true_positive[a] = 0;
        outcome.false_positive[a] = inside ? kAllIous : IouBits{0};
      }
    }
  }
}

}  // namespace dfine::inline metrics
