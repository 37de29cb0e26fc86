#pragma once
// Which kind of error each false detection and each missed box is, by the rules of TIDE as the
// package tidecv 1.0.1 applies them. Bolya et al., "TIDE: A General Toolbox for Identifying Object
// Detection Errors", ECCV 2020.
//
// The best 100 detections of an image count, over all classes. By descending score, each takes the
// free box of its class with the highest IoU, if that is at least 0.5. Of the others, those with
// more than half of their area in a crowd of their class do not count for AP. They are given a kind
// all the same. The kind is the first that fits, with IoUs to the boxes that are no crowds:
//   localisation    the highest IoU with a box of its class is in [0.1, 0.5]
//   classification  the highest IoU with a box of another class is at least 0.5
//   duplicate       the highest IoU with a taken box of its class is at least 0.5
//   background      the highest IoU with any box is at most 0.1
//   both            none of these
// A free box is missed if no localisation or classification error is at it.
#include <cstdint>
#include <vector>

#include "analysis/image_lists.h"

namespace dfine::inline analysis {

enum class ErrorKind : uint8_t {
  kClassification,
  kLocalisation,
  kBoth,
  kDuplicate,
  kBackground,
  kMissed,
};
inline constexpr size_t kErrorKinds = 6;

/// A detection that took no box.
struct FalseDetection {
  uint32_t detection;
  ErrorKind kind;
  bool counts;             // it is a false positive; else it is in a crowd
  uint32_t correct_class;  // with the error corrected it is a true positive of this class;
                           // kNoIndex: it is removed
};

struct JudgedDetection {
  uint32_t detection;
  bool is_true;
};

struct ErrorSearch {
  // By image, then descending score.
  std::vector<JudgedDetection> judged;  // all that count
  std::vector<FalseDetection> errors;
  // [classes] boxes: all but crowds, those that no detection took, those that are missed.
  std::vector<int64_t> positives, untaken, missed;
};

/// Of several errors at one free box, the highest score alone is corrected to a true positive.
ErrorSearch search_errors(const Inputs& in, const ImageLists& lists);

}  // namespace dfine::inline analysis
