#include "analysis/confusion.h"

#include "analysis/overlap.h"

namespace dfine::inline analysis {
namespace {

class Claimer {
 public:
  Claimer(const Inputs& in, const ImageLists& lists, const Matches& matches,
          const MatchOptions& options, std::vector<ClaimedBox>& out)
      : in_(in), lists_(lists), matches_(matches), options_(options), out_(out) {}

  void claim(uint32_t image) {
    const auto boxes = lists_.boxes(image);
    taken_.assign(boxes.size(), 0);
    for (const uint32_t detection : lists_.detections(image)) {
      if (matches_.detections[detection].outcome != Outcome::kNotCounted)
        out_[detection] = claim(detection, boxes);
    }
  }

 private:
  ClaimedBox claim(uint32_t detection, std::span<const uint32_t> boxes) {
    const Xywh& xywh = in_.detections[detection].xywh;
    double best = 0;
    size_t match = boxes.size();
    for (size_t i = 0; i < boxes.size(); ++i) {
      if (taken_[i] != 0 || matches_.box_counts[boxes[i]] == 0) continue;
      const double here = overlap(xywh, in_.truth.boxes[boxes[i]].xywh, false);
      if (!(here >= options_.iou) || here < best) continue;
      if (here == best && (match != boxes.size() && (same_class(detection, boxes[match]) ||
                                                     !same_class(detection, boxes[i]))))
        continue;
      best = here;
      match = i;
    }
    if (match != boxes.size()) {
      taken_[match] = 1;
      return {.claim = Claim::kBox, .box = boxes[match]};
    }
    for (const uint32_t box : boxes) {
      if (matches_.box_counts[box] == 0 &&
          overlap(xywh, in_.truth.boxes[box].xywh, true) >= kPartInCrowd)
        return {.claim = Claim::kIgnored};
    }
    return {.claim = Claim::kBackground};
  }

  bool same_class(uint32_t detection, uint32_t box) const {
    return in_.detection_class[detection] == in_.box_class[box];
  }

  static constexpr double kPartInCrowd = 0.5;

  const Inputs& in_;
  const ImageLists& lists_;
  const Matches& matches_;
  const MatchOptions& options_;
  std::vector<ClaimedBox>& out_;
  std::vector<uint8_t> taken_;
};

}  // namespace

std::vector<ClaimedBox> claim_boxes(const Inputs& in, const ImageLists& lists,
                                    const Matches& matches, const MatchOptions& options,
                                    ThreadPool& pool) {
  std::vector<ClaimedBox> out(in.detections.size());
  constexpr size_t kImagesAtOnce = 128;
  parallel_ranges(pool, in.images, kImagesAtOnce, [&](size_t first, size_t last) {
    Claimer claimer(in, lists, matches, options, out);
    for (size_t image = first; image < last; ++image) claimer.claim(static_cast<uint32_t>(image));
  });
  return out;
}

ConfusionMatrix confusion_matrix(const Inputs& in, const Matches& matches,
                                 const std::vector<ClaimedBox>& claims, double threshold) {
  const size_t classes = in.classes(), side = classes + 1;
  ConfusionMatrix out{
      .threshold = threshold, .classes = classes, .counts = std::vector<int64_t>(side * side, 0)};
  for (size_t k = 0; k < classes; ++k) out.counts[k * side + classes] = matches.positives[k];
  for (size_t i = 0; i < claims.size(); ++i) {
    if (!(in.detections[i].score >= threshold)) continue;
    const uint32_t predicted = in.detection_class[i];
    if (claims[i].claim == Claim::kBackground) ++out.counts[classes * side + predicted];
    if (claims[i].claim != Claim::kBox) continue;
    const uint32_t actual = in.box_class[claims[i].box];
    ++out.counts[actual * side + predicted];
    --out.counts[actual * side + classes];
  }
  return out;
}

}  // namespace dfine::inline analysis
