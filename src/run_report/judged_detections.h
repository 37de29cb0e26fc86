#pragma once
// What the analysis says of each detection, in the form in which the page counts.
#include <span>
#include <vector>

#include "analysis/error_search.h"
#include "analysis/matches.h"
#include "metrics/coco_types.h"

namespace dfine::inline run_report {

/// All detections that count, by descending score, equal scores in the order given.
///
/// With a threshold for each class, the page fills the confusion matrix again. By the rules of
/// analysis/confusion.h, each detection takes the first of its candidates that is still free.
struct JudgedDetections {
  std::vector<uint32_t> order;            // [kept] indices into the detections
  std::vector<uint8_t> kinds;             // [kept] ErrorKind; kNoKind: right, or not judged
  std::vector<uint8_t> in_crowd;          // [kept] 1: does not count for the matrix if untaken
  std::vector<uint32_t> candidate_begin;  // [kept + 1]
  std::vector<uint32_t> candidates;       // indices into the boxes, the one to take first first

  static constexpr uint8_t kNoKind = 7;
};

JudgedDetections judge_detections(const Inputs& in, const ImageLists& lists, const Matches& matches,
                                  const ErrorSearch& errors, const MatchOptions& options,
                                  ThreadPool& pool);

}  // namespace dfine::inline run_report
