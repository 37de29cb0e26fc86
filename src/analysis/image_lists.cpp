#include "analysis/image_lists.h"

#include <algorithm>

namespace dfine::inline analysis {
namespace {

/// Lists the indices of `images` by image, stably, and where each image begins.
void sort_by_image(const std::vector<uint32_t>& images, uint32_t count,
                   std::vector<uint32_t>& sorted, std::vector<uint32_t>& begin) {
  begin.assign(count + 1, 0);
  for (const uint32_t image : images) {
    if (image != kNoIndex) ++begin[image + 1];
  }
  for (uint32_t i = 0; i < count; ++i) begin[i + 1] += begin[i];
  sorted.resize(begin[count]);
  std::vector<uint32_t> next = begin;
  for (uint32_t i = 0; i < images.size(); ++i) {
    if (images[i] != kNoIndex) sorted[next[images[i]]++] = i;
  }
}

}  // namespace

ImageLists::ImageLists(const Inputs& in) {
  sort_by_image(in.box_image, in.images, boxes_, box_begin_);
  sort_by_image(in.detection_image, in.images, detections_, detection_begin_);
  for (uint32_t image = 0; image < in.images; ++image) {
    std::sort(detections_.begin() + detection_begin_[image],
              detections_.begin() + detection_begin_[image + 1], [&](uint32_t a, uint32_t b) {
                const double score_a = in.detections[a].score, score_b = in.detections[b].score;
                return score_a != score_b ? score_a > score_b : a < b;
              });
  }
}

}  // namespace dfine::inline analysis
