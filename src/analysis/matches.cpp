#include "analysis/matches.h"

#include <algorithm>
#include <span>

#include "analysis/overlap.h"
#include "metrics/coco_params.h"

namespace dfine::inline analysis {
namespace {

bool area_counts(double area) {
  return kCocoAreaRanges[kAreaAll].contains(area);
}

/// Matches one group after another; holds working memory.
class GroupMatcher {
 public:
  GroupMatcher(const Inputs& in, const MatchOptions& options, Matches& out)
      : in_(in), least_overlap_(std::min(options.iou, 1 - 1e-10)), options_(options), out_(out) {}

  void match(const CocoGroup& group) {
    load_boxes(group);
    const auto given =
        std::span(in_.groups.detections)
            .subspan(group.detection_begin, group.detection_end - group.detection_begin);
    by_score_.assign(given.begin(), given.end());
    std::sort(by_score_.begin(), by_score_.end(), [&](uint32_t a, uint32_t b) {
      const double score_a = in_.detections[a].score, score_b = in_.detections[b].score;
      return score_a != score_b ? score_a > score_b : a < b;
    });
    by_score_.resize(std::min(by_score_.size(), options_.detection_limit));
    for (const uint32_t detection : by_score_) match(detection);
  }

 private:
  struct Box {
    uint32_t index;
    bool counts, crowd, taken;
  };

  /// Counting ones first.
  void load_boxes(const CocoGroup& group) {
    boxes_.clear();
    for (const bool counts : {true, false}) {
      for (uint32_t i = group.box_begin; i < group.box_end; ++i) {
        const uint32_t index = in_.groups.boxes[i];
        if ((out_.box_counts[index] != 0) == counts)
          boxes_.push_back({.index = index,
                            .counts = counts,
                            .crowd = in_.truth.boxes[index].iscrowd,
                            .taken = false});
      }
    }
  }

  void match(uint32_t detection) {
    const Xywh& xywh = in_.detections[detection].xywh;
    double best = least_overlap_;
    Box* match = nullptr;
    for (Box& box : boxes_) {
      if (box.taken && !box.crowd) continue;
      if (match != nullptr && match->counts && !box.counts) break;
      const double here = overlap(xywh, in_.truth.boxes[box.index].xywh, box.crowd);
      if (here < best) continue;
      best = here;
      match = &box;
    }
    if (match != nullptr) match->taken = true;
    DetectionMatch& out = out_.detections[detection];
    if (match != nullptr && !match->counts) {
      out = {.outcome = Outcome::kIgnored, .box = match->index};
    } else if (match != nullptr && in_.truth.boxes[match->index].annotation_id != 0) {
      out = {.outcome = Outcome::kTruePositive, .box = match->index};
      out_.found_by[match->index] = detection;
    } else {
      out.outcome = area_counts(xywh[2] * xywh[3]) ? Outcome::kFalsePositive : Outcome::kIgnored;
    }
  }

  const Inputs& in_;
  double least_overlap_;
  const MatchOptions& options_;
  Matches& out_;
  std::vector<Box> boxes_;
  std::vector<uint32_t> by_score_;
};

}  // namespace

Matches match_detections(const Inputs& in, const MatchOptions& options, ThreadPool& pool) {
  Matches out{.detections = std::vector<DetectionMatch>(in.detections.size()),
              .found_by = std::vector<uint32_t>(in.truth.boxes.size(), kNoIndex),
              .box_counts = std::vector<uint8_t>(in.truth.boxes.size(), 0),
              .positives = std::vector<int64_t>(in.classes(), 0)};
  for (size_t i = 0; i < in.truth.boxes.size(); ++i) {
    const GroundTruthBox& box = in.truth.boxes[i];
    if (in.box_class[i] == kNoIndex || box.iscrowd || !area_counts(box.area)) continue;
    out.box_counts[i] = 1;
    ++out.positives[in.box_class[i]];
  }
  constexpr size_t kGroupsAtOnce = 4096;
  parallel_ranges(pool, in.groups.groups.size(), kGroupsAtOnce, [&](size_t first, size_t last) {
    GroupMatcher matcher(in, options, out);
    for (size_t i = first; i < last; ++i) matcher.match(in.groups.groups[i]);
  });
  return out;
}

}  // namespace dfine::inline analysis
