#pragma once
// Precision against recall of one category.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_match.h"
#include "metrics/coco_params.h"

namespace dfine::inline metrics {

/// `outcomes` in descending order of score, equal scores in order of image and rank.
void sort_by_score(std::span<const MatchOutcome> outcomes, std::vector<MatchOutcome>& sorted);

/// Where the curves of one category, area range and detection limit go.
struct CurveOutput {
  std::span<double> recall;     // [IoUs]
  std::span<double> precision;  // [IoUs, recalls]
  std::span<double> scores;     // [IoUs, recalls]
};

/// Holds working memory between calls; one for each thread.
class CurveBuilder {
 public:
  /// `sorted`: all outcomes of one category by descending score. `positives` > 0: counting ground
  /// truths of this area range.
  void build(std::span<const MatchOutcome> sorted, size_t area, size_t limit, int64_t positives,
             const CurveOutput& out);

 private:
  struct Hit {  // a true positive
    double precision, score;
  };
  std::array<std::vector<Hit>, kCocoIous> hits_;
};

}  // namespace dfine::inline metrics
