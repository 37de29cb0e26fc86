#include "data/report/data.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "data/box_policy.h"

namespace dfine::inline report {
namespace {

template <size_t n>
size_t bin_of(const std::array<double, n>& edges, double value) {
  return static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
}

std::array<double, 4> xywh_of(const ShardIndex::Boxes& boxes, size_t b) {
  return {boxes.xywh[4 * b], boxes.xywh[4 * b + 1], boxes.xywh[4 * b + 2], boxes.xywh[4 * b + 3]};
}

}  // namespace

void ReportData::add(const ShardIndex& index) {
  const auto describe_box = [&](size_t i, const ShardIndex::Boxes& of, size_t b) {
    return str_cat(index.file_name[i], ": ", categories[static_cast<size_t>(of.label[b])].name,
                   ", annotation ", of.annotation_id[b]);
  };
  std::vector<size_t> last_image(categories.size(), SIZE_MAX);
  for (size_t i = 0; i < index.images(); ++i) {
    ++images;
    image_bytes += index.size[i];
    ++image_sizes[{index.width[i], index.height[i]}];
    size_t targets = 0;
    for (size_t b = index.box.first[i]; b < index.box.first[i + 1]; ++b) {
      const auto label = static_cast<size_t>(index.box.label[b]);
      const auto xywh = xywh_of(index.box, b);
      if (reaches_outside(xywh, index.width[i], index.height[i]))
        clipped.add(describe_box(i, index.box, b));
      if (index.box.iscrowd[b] != 0) {
        ++crowds;
        ++classes[label].crowds;
        continue;
      }
      ++targets;
      ++boxes;
      ++classes[label].boxes;
      if (last_image[label] != i) ++classes[label].images;
      last_image[label] = i;
      ++sizes[bin_of(kSizeEdges, std::sqrt(xywh[2] * xywh[3]))];
      ++aspects[bin_of(kAspectEdges, xywh[2] / xywh[3])];
      ++coco_areas[bin_of(kCocoAreaEdges, index.box.area[b])];
    }
    for (size_t b = index.dropped.first[i]; b < index.dropped.first[i + 1]; ++b)
      dropped.add(describe_box(i, index.dropped, b));
    if (targets == 0) empty_images.add(std::string(index.file_name[i]));
    ++per_image[bin_of(kPerImageEdges, static_cast<double>(targets))];
  }
}

}  // namespace dfine::inline report
