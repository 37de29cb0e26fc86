#pragma once
// Mean AP as the package tidecv 1.0.1 computes it. It differs from COCO evaluation in small things,
// so it stays apart from metrics/coco_curve.h.
#include <cstdint>
#include <vector>

#include "core/thread_pool.h"

namespace dfine::inline analysis {

struct ScoredDetection {
  double score;
  bool is_true;
};

struct ClassDetections {
  std::vector<ScoredDetection> detections;  // equal scores count in this order
  int64_t positives = 0;                    // ground truths
};

/// In [0, 1]: the mean over classes of the highest precision at a recall of r / 100 or more, with
/// the mean over r = 0 ... 100. A class without positives has AP 0 if it has detections. Without
/// both it is skipped. 0 without any class.
double mean_average_precision(std::vector<ClassDetections> classes, ThreadPool& pool);

}  // namespace dfine::inline analysis
