#include "metrics/coco_match.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace dfine::inline metrics {

CocoMatcher::CocoMatcher(const CocoParams& params)
    : params_(params), all_ious_(static_cast<IouBits>((uint64_t{1} << params.ious.size()) - 1)) {
  for (const double iou : params.ious) least_overlap_.push_back(std::min(iou, 1 - 1e-10));
  least_of_all_ = *std::ranges::min_element(least_overlap_);
}

void CocoMatcher::load_truths(const std::vector<GroundTruthBox>& all_boxes,
                              std::span<const BoxRecord> boxes) {
  truths_.clear();
  for (const BoxRecord& record : boxes) {
    const GroundTruthBox& box = all_boxes[record.index];
    const auto& [x, y, w, h] = box.xywh;
    Truth& truth = truths_.emplace_back(Truth{.x1 = x,
                                              .y1 = y,
                                              .x2 = w + x,
                                              .y2 = h + y,
                                              .box_area = w * h,
                                              .ignored = {},
                                              .crowd = box.iscrowd,
                                              .id_zero = box.annotation_id == 0,
                                              .taken = {}});
    for (size_t a = 0; a < kCocoAreas; ++a)
      truth.ignored[a] = box.iscrowd || !kCocoAreaRanges[a].contains(box.area);
  }
}

// Written so that the overlap of boxes whose area underflows (0/0) matches, as in pycocotools.
IouBits CocoMatcher::reach(double overlap) const {
  IouBits bits = 0;
  for (size_t t = 0; t < least_overlap_.size(); ++t)
    bits |= static_cast<IouBits>(!(overlap < least_overlap_[t])) << t;
  return bits;
}

// The operations and their order are those of bbIou in pycocotools' maskApi.c; the file is compiled
// without contraction to fused multiply-add.
void CocoMatcher::find_candidates(const DetectionRecord& d) {
  const double x2 = d.w + d.x, y2 = d.h + d.y, area = d.w * d.h;
  candidates_.clear();
  for (Truth& truth : truths_) {
    const double width = std::min(x2, truth.x2) - std::max(d.x, truth.x1);
    if (width <= 0) continue;
    const double height = std::min(y2, truth.y2) - std::max(d.y, truth.y1);
    if (height <= 0) continue;
    const double intersection = width * height;
    const double overlap =
        intersection / (truth.crowd ? area : area + truth.box_area - intersection);
    if (overlap < least_of_all_) continue;
    candidates_.push_back({.overlap = overlap, .reach = reach(overlap), .truth = &truth});
  }
}

/// Counting ground truths come first, in the order given; then the others, unless one matched.
const CocoMatcher::Candidate* CocoMatcher::best_at(size_t area, size_t iou) {
  const IouBits bit = IouBits{1} << iou;
  double best = least_overlap_[iou];
  const Candidate* match = nullptr;
  for (const bool ignored : {false, true}) {
    if (match != nullptr) break;
    for (const Candidate& candidate : candidates_) {
      if (candidate.truth->ignored[area] != ignored) continue;
      if ((candidate.truth->taken[area] & bit) != 0 && !candidate.truth->crowd) continue;
      if (candidate.overlap < best) continue;
      best = candidate.overlap;
      match = &candidate;
    }
  }
  return match;
}

void CocoMatcher::match_in_area(size_t area, bool inside, MatchBits& bits) {
  IouBits free = 0, matched = 0, ignored = 0;
  const auto take = [&](const Candidate& candidate, IouBits at) {
    Truth& truth = *candidate.truth;
    truth.taken[area] |= at;
    if (truth.ignored[area]) ignored |= at;
    if (!truth.id_zero) matched |= at;
  };
  for (const Candidate& candidate : candidates_)
    free |=
        candidate.reach & (candidate.truth->crowd ? ~IouBits{0} : ~candidate.truth->taken[area]);
  if (candidates_.size() == 1) {
    take(candidates_[0], free);
  } else {
    for (; free != 0; free &= free - 1) {
      const auto t = static_cast<size_t>(std::countr_zero(free));
      if (const Candidate* match = best_at(area, t)) take(*match, IouBits{1} << t);
    }
  }
  if (!inside) ignored |= ~matched;
  bits.true_positive[area] = matched & ~ignored & all_ious_;
  bits.false_positive[area] = ~matched & ~ignored & all_ious_;
}

void CocoMatcher::match(const std::vector<GroundTruthBox>& all_boxes,
                        std::span<const BoxRecord> boxes,
                        std::span<const DetectionRecord> detections, MatchOutcomes& out) {
  by_score_.resize(detections.size());
  std::iota(by_score_.begin(), by_score_.end(), 0);
  if (detections.size() > 1)
    std::sort(by_score_.begin(), by_score_.end(), [&](uint32_t a, uint32_t b) {
      const double score_a = detections[a].score, score_b = detections[b].score;
      return score_a != score_b ? score_a > score_b : a < b;
    });
  load_truths(all_boxes, boxes);
  const size_t kept = std::min(detections.size(), params_.limits.back());
  for (uint32_t rank = 0; rank < kept; ++rank) {
    const DetectionRecord& detection = detections[by_score_[rank]];
    const double area = detection.w * detection.h;
    std::array<bool, kCocoAreas> inside{};
    for (size_t a = 0; a < kCocoAreas; ++a) inside[a] = kCocoAreaRanges[a].contains(area);
    uint32_t place = MatchOutcome::kUnmatched;
    find_candidates(detection);
    if (candidates_.empty()) {
      for (size_t a = 0; a < kCocoAreas; ++a) place |= uint32_t{inside[a]} << a;
    } else {
      place = static_cast<uint32_t>(out.bits.size());
      MatchBits& bits = out.bits.emplace_back();
      for (size_t a = 0; a < kCocoAreas; ++a) match_in_area(a, inside[a], bits);
    }
    out.list.push_back({.score = detection.score, .rank = rank, .bits = place});
  }
}

}  // namespace dfine::inline metrics
