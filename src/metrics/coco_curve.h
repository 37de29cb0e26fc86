#pragma once
// Precision against recall of one category.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/coco_match.h"
#include "metrics/coco_params.h"

namespace dfine::inline metrics {

/// Where the curves of one category, area range and detection limit go.
struct CurveOutput {
  std::span<double> recall;     // [IoUs]
  std::span<double> precision;  // [IoUs, recalls]
  std::span<double> scores;     // [IoUs, recalls]
};

/// Of one category. Keeps a reference to `params`.
class CurveBuilder {
 public:
  /// `parts`: the outcomes in order of image.
  CurveBuilder(const CocoParams& params, std::span<const MatchOutcomes> parts);

  /// Of the next area range. `positives` > 0: its counting ground truths.
  void start_area(size_t area, int64_t positives);
  void build(size_t limit, const CurveOutput& out);

 private:
  struct Hit {  // a true positive
    double precision, score;
  };

  /// Returns the score of the first detection that is within the limit; 0 without one.
  double find_hits(size_t most);

  const CocoParams& params_;
  std::vector<MatchOutcome> outcomes_;  // by descending score, equal scores by image and rank
  std::vector<MatchBits> bits_;         // what they refer to
  size_t area_ = 0;
  double total_ = 0;                           // positives
  std::array<size_t, kCocoRecalls> needed_{};  // true positives, to reach each recall
  std::vector<std::vector<Hit>> hits_;         // [IoUs]
};

}  // namespace dfine::inline metrics
