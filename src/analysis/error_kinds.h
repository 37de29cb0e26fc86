#pragma once
// How much AP each kind of error costs, equal to what the package tidecv 1.0.1 computes.
#include <array>
#include <string_view>

#include "analysis/error_search.h"
#include "core/thread_pool.h"

namespace dfine::inline analysis {

/// "classification", "localisation", "both", "duplicate", "background", "missed".
std::string_view name_of(ErrorKind kind);

struct ErrorCost {
  double ap = 0;      // AP that correcting all errors of this kind alone would add; 0 at least
  int64_t count = 0;  // errors
};

/// In [0, 1]; tidecv shows 100 times these. AP is that of average_precision.h at IoU 0.5, with 100
/// detections of an image over all classes. So it is near COCO's AP50, and not equal.
struct ErrorKinds {
  double ap = 0;
  std::array<ErrorCost, kErrorKinds> kinds{};  // by ErrorKind
  double false_positives = 0;  // added by scores of 1 for true positives and 0 for the others
  double false_negatives = 0;  // added by leaving out the boxes that nothing found

  const ErrorCost& of(ErrorKind kind) const { return kinds[static_cast<size_t>(kind)]; }
};

/// Corrected: a classification error gets the class of the box, a localisation error its place.
/// Only the highest score at a free box becomes a true positive; the others are removed. Errors of
/// the kinds both, duplicate and background are removed. Missed boxes leave the ground truth.
ErrorKinds error_kinds(const Inputs& in, const ImageLists& lists, ThreadPool& pool);

}  // namespace dfine::inline analysis
