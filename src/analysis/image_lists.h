#pragma once
// Boxes and detections of each image, of all classes together.
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/inputs.h"

namespace dfine::inline analysis {

/// Indices into the ground truth's boxes and into the detections, without those that are dropped.
class ImageLists {
 public:
  explicit ImageLists(const Inputs& in);

  /// In the order given.
  std::span<const uint32_t> boxes(uint32_t image) const { return part(boxes_, box_begin_, image); }
  /// By descending score, equal scores in the order given.
  std::span<const uint32_t> detections(uint32_t image) const {
    return part(detections_, detection_begin_, image);
  }

 private:
  static std::span<const uint32_t> part(const std::vector<uint32_t>& all,
                                        const std::vector<uint32_t>& begin, uint32_t image) {
    return std::span(all).subspan(begin[image], begin[image + 1] - begin[image]);
  }

  std::vector<uint32_t> boxes_, detections_;
  std::vector<uint32_t> box_begin_, detection_begin_;  // [images + 1]
};

}  // namespace dfine::inline analysis
