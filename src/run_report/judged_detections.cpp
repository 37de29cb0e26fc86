#include "run_report/judged_detections.h"

#include <algorithm>

#include "analysis/overlap.h"
#include "core/thread_pool.h"

namespace dfine::inline run_report {
namespace {

constexpr double kPartInCrowd = 0.5;  // as in analysis/confusion.cpp

struct Candidate {
  double overlap;
  bool same_class;
  uint32_t box;
};

struct ImageCandidates {
  std::vector<uint32_t> boxes;
  bool in_crowd = false;
};

ImageCandidates candidates_of(const Inputs& in, const ImageLists& lists, const Matches& matches,
                              const MatchOptions& options, uint32_t detection) {
  ImageCandidates out;
  std::vector<Candidate> found;
  const Xywh& xywh = in.detections[detection].xywh;
  for (const uint32_t box : lists.boxes(in.detection_image[detection])) {
    const Xywh& other = in.truth.boxes[box].xywh;
    if (matches.box_counts[box] == 0) {
      out.in_crowd |= overlap(xywh, other, true) >= kPartInCrowd;
      continue;
    }
    const double here = overlap(xywh, other, false);
    if (here >= options.iou)
      found.push_back({here, in.box_class[box] == in.detection_class[detection], box});
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    if (a.overlap != b.overlap) return a.overlap > b.overlap;
    return a.same_class != b.same_class ? a.same_class : a.box < b.box;
  });
  for (const Candidate& candidate : found) out.boxes.push_back(candidate.box);
  return out;
}

}  // namespace

JudgedDetections judge_detections(const Inputs& in, const ImageLists& lists, const Matches& matches,
                                  const ErrorSearch& errors, const MatchOptions& options,
                                  ThreadPool& pool) {
  JudgedDetections out;
  std::vector<uint8_t> kinds(in.detections.size(), JudgedDetections::kNoKind);
  for (const FalseDetection& error : errors.errors)
    kinds[error.detection] = static_cast<uint8_t>(error.kind);
  for (uint32_t i = 0; i < in.detections.size(); ++i)
    if (matches.detections[i].outcome != Outcome::kNotCounted) out.order.push_back(i);
  std::sort(out.order.begin(), out.order.end(), [&](uint32_t a, uint32_t b) {
    const double score_a = in.detections[a].score, score_b = in.detections[b].score;
    return score_a != score_b ? score_a > score_b : a < b;
  });
  std::vector<ImageCandidates> all(out.order.size());
  constexpr size_t kAtOnce = 4096;
  parallel_ranges(pool, all.size(), kAtOnce, [&](size_t first, size_t last) {
    for (size_t k = first; k < last; ++k)
      all[k] = candidates_of(in, lists, matches, options, out.order[k]);
  });
  for (size_t k = 0; k < all.size(); ++k) {
    out.kinds.push_back(kinds[out.order[k]]);
    out.in_crowd.push_back(all[k].in_crowd ? 1 : 0);
    out.candidate_begin.push_back(static_cast<uint32_t>(out.candidates.size()));
    out.candidates.insert(out.candidates.end(), all[k].boxes.begin(), all[k].boxes.end());
  }
  out.candidate_begin.push_back(static_cast<uint32_t>(out.candidates.size()));
  return out;
}

}  // namespace dfine::inline run_report
