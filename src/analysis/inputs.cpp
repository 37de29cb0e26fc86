#include "analysis/inputs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline analysis {
namespace {

/// Image id -> place among the distinct ids, in the order given.
class ImagePlaces {
 public:
  explicit ImagePlaces(const std::vector<int64_t>& ids) {
    for (const int64_t id : ids) places_.emplace_back(id, static_cast<uint32_t>(places_.size()));
    std::sort(places_.begin(), places_.end());
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    places_.erase(std::unique(places_.begin(), places_.end(), same), places_.end());
    // Ids that are listed twice left gaps.
    std::vector<std::pair<uint32_t, uint32_t>> by_place;
    for (uint32_t i = 0; i < places_.size(); ++i) by_place.emplace_back(places_[i].second, i);
    std::sort(by_place.begin(), by_place.end());
    for (uint32_t place = 0; place < by_place.size(); ++place)
      places_[by_place[place].second].second = place;
  }
  uint32_t size() const { return static_cast<uint32_t>(places_.size()); }
  uint32_t of(int64_t listed_id) const {
    return std::lower_bound(places_.begin(), places_.end(), std::pair(listed_id, uint32_t{0}))
        ->second;
  }

 private:
  std::vector<std::pair<int64_t, uint32_t>> places_;
};

void check_finite(const std::vector<GroundTruthBox>& boxes) {
  for (const GroundTruthBox& box : boxes) {
    const auto& [x, y, w, h] = box.xywh;
    if (std::isfinite(x) && std::isfinite(y) && std::isfinite(w) && std::isfinite(h) &&
        std::isfinite(box.area))
      continue;
    throw Error(ErrorCode::kRecordInvalid,
                str_cat("annotation ", box.annotation_id, " on image ", box.image_id,
                        " has a box or an area that is not finite"));
  }
}

}  // namespace

Inputs make_inputs(const GroundTruth& truth, std::span<const Detection> detections) {
  check_finite(truth.boxes);
  Inputs in{.truth = truth,
            .detections = detections,
            .groups = group_by_category_and_image(truth, detections),
            .box_image = std::vector<uint32_t>(truth.boxes.size(), kNoIndex),
            .box_class = std::vector<uint32_t>(truth.boxes.size(), kNoIndex),
            .detection_image = std::vector<uint32_t>(detections.size(), kNoIndex),
            .detection_class = std::vector<uint32_t>(detections.size(), kNoIndex)};
  const ImagePlaces places(truth.image_ids);
  in.images = places.size();
  for (uint32_t k = 0; k < in.classes(); ++k) {
    for (uint32_t i = in.groups.category_begin[k]; i < in.groups.category_begin[k + 1]; ++i) {
      const CocoGroup& group = in.groups.groups[i];
      const uint32_t image =
          places.of(group.box_begin < group.box_end
                        ? truth.boxes[in.groups.boxes[group.box_begin]].image_id
                        : detections[in.groups.detections[group.detection_begin]].image_id);
      for (uint32_t b = group.box_begin; b < group.box_end; ++b) {
        in.box_image[in.groups.boxes[b]] = image;
        in.box_class[in.groups.boxes[b]] = k;
      }
      for (uint32_t d = group.detection_begin; d < group.detection_end; ++d) {
        in.detection_image[in.groups.detections[d]] = image;
        in.detection_class[in.groups.detections[d]] = k;
      }
    }
  }
  return in;
}

}  // namespace dfine::inline analysis
