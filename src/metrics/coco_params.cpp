#include "metrics/coco_params.h"

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline metrics {
namespace {

[[noreturn]] void refuse(const std::string& what, const char* hint) {
  throw Error(ErrorCode::kBadValue, what, hint);
}

}  // namespace

void CocoParams::check() const {
  constexpr const char* kIous = "give 1 to 32 different IoU thresholds above 0, up to 1";
  constexpr const char* kLimits = "give different numbers of detections, each 1 or more";
  if (ious.empty() || ious.size() > kMostCocoIous)
    refuse(str_cat("there are ", ious.size(), " IoU thresholds"), kIous);
  for (auto iou = ious.begin(); iou != ious.end(); ++iou) {
    if (!(*iou > 0 && *iou <= 1)) refuse(str_cat("the IoU threshold is ", *iou), kIous);
    if (std::find(ious.begin(), iou, *iou) != iou)
      refuse(str_cat("the IoU threshold ", *iou, " is given twice"), kIous);
  }
  if (limits.empty()) refuse("there is no limit of detections", kLimits);
  if (limits.front() == 0) refuse("a limit of detections is 0", kLimits);
  if (std::ranges::adjacent_find(limits, std::greater_equal()) != limits.end())
    refuse("the limits of detections are not ascending, each once", kLimits);
}

}  // namespace dfine::inline metrics
