#include "analysis/error_search.h"

#include <algorithm>
#include <span>

#include "analysis/overlap.h"

namespace dfine::inline analysis {
namespace {

constexpr double kLeastOverlap = 0.5, kMostBackground = 0.1;
constexpr size_t kMostDetections = 100;

/// The box with the highest IoU, the first of equal ones.
struct Nearest {
  double iou = 0;
  size_t box = 0;

  void offer(double other, size_t at) {
    if (other > iou) *this = {.iou = other, .box = at};
  }
};

class ImageSearch {
 public:
  ImageSearch(const Inputs& in, const ImageLists& lists, ErrorSearch& out)
      : in_(in), lists_(lists), out_(out) {}

  void search(uint32_t image) {
    load(image);
    take_boxes();
    for (size_t d = 0; d < detections_.size(); ++d) judge(d);
    for (const Box& box : boxes_) {
      if (box.taken) continue;
      ++out_.untaken[box.label];
      if (!box.has_error) ++out_.missed[box.label];
    }
  }

 private:
  struct Box {
    uint32_t index, label;
    bool taken = false, has_error = false;
  };

  void load(uint32_t image) {
    boxes_.clear();
    crowds_.clear();
    for (const uint32_t index : lists_.boxes(image)) {
      auto& list = in_.truth.boxes[index].iscrowd ? crowds_ : boxes_;
      list.push_back({.index = index, .label = in_.box_class[index]});
    }
    for (const Box& box : boxes_) ++out_.positives[box.label];
    detections_ = lists_.detections(image);
    detections_ = detections_.first(std::min(detections_.size(), kMostDetections));
    overlaps_.clear();
    for (const uint32_t detection : detections_) {
      for (const Box& box : boxes_)
        overlaps_.push_back(
            overlap(in_.detections[detection].xywh, in_.truth.boxes[box.index].xywh, false));
    }
  }

  double overlap_with(size_t detection, size_t box) const {
    return overlaps_[detection * boxes_.size() + box];
  }
  uint32_t label(size_t detection) const { return in_.detection_class[detections_[detection]]; }

  void take_boxes() {
    is_true_.assign(detections_.size(), 0);
    for (size_t d = 0; d < detections_.size(); ++d) {
      Nearest nearest;
      for (size_t b = 0; b < boxes_.size(); ++b) {
        if (!boxes_[b].taken && boxes_[b].label == label(d)) nearest.offer(overlap_with(d, b), b);
      }
      if (nearest.iou < kLeastOverlap) continue;
      boxes_[nearest.box].taken = true;
      is_true_[d] = 1;
    }
  }

  bool in_crowd(size_t d) const {
    return std::any_of(crowds_.begin(), crowds_.end(), [&](const Box& crowd) {
      return crowd.label == label(d) &&
             overlap(in_.detections[detections_[d]].xywh, in_.truth.boxes[crowd.index].xywh, true) >
                 kLeastOverlap;
    });
  }

  void judge(size_t d) {
    const bool is_true = is_true_[d] != 0, counts = is_true || !in_crowd(d);
    if (counts) out_.judged.push_back({.detection = detections_[d], .is_true = is_true});
    if (is_true) return;
    Nearest same, other, taken, any;
    for (size_t b = 0; b < boxes_.size(); ++b) {
      const double here = overlap_with(d, b);
      const bool same_class = boxes_[b].label == label(d);
      (same_class ? same : other).offer(here, b);
      if (same_class && boxes_[b].taken) taken.offer(here, b);
      any.offer(here, b);
    }
    FalseDetection error{.detection = detections_[d],
                         .kind = ErrorKind::kBoth,
                         .counts = counts,
                         .correct_class = kNoIndex};
    if (same.iou >= kMostBackground && same.iou <= kLeastOverlap) {
      error.kind = ErrorKind::kLocalisation;
      error.correct_class = correct(boxes_[same.box]);
    } else if (other.iou >= kLeastOverlap) {
      error.kind = ErrorKind::kClassification;
      error.correct_class = correct(boxes_[other.box]);
    } else if (taken.iou >= kLeastOverlap) {
      error.kind = ErrorKind::kDuplicate;
    } else if (any.iou <= kMostBackground) {
      error.kind = ErrorKind::kBackground;
    }
    out_.errors.push_back(error);
  }

  /// The class of a true positive at a free box that had no error so far.
  static uint32_t correct(Box& box) {
    if (box.taken || box.has_error) return kNoIndex;
    box.has_error = true;
    return box.label;
  }

  const Inputs& in_;
  const ImageLists& lists_;
  ErrorSearch& out_;
  std::vector<Box> boxes_, crowds_;
  std::span<const uint32_t> detections_;
  std::vector<double> overlaps_;  // [detections, boxes]
  std::vector<uint8_t> is_true_;
};

}  // namespace

ErrorSearch search_errors(const Inputs& in, const ImageLists& lists) {
  const std::vector<int64_t> zeros(in.classes(), 0);
  ErrorSearch out{
      .judged = {}, .errors = {}, .positives = zeros, .untaken = zeros, .missed = zeros};
  ImageSearch image_search(in, lists, out);
  for (uint32_t image = 0; image < in.images; ++image) image_search.search(image);
  return out;
}

}  // namespace dfine::inline analysis
