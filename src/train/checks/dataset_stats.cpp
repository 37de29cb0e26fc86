#include "train/checks/dataset_stats.h"

#include <algorithm>

#include "data/shards/dataset.h"

namespace dfine::inline checks {

DatasetStats dataset_stats(const PackedDataset& dataset, int64_t num_images) {
  DatasetStats stats{.images = num_images,
                     .boxes_of_class = std::vector<int64_t>(dataset.categories().size())};
  for (size_t i = 0; i < static_cast<size_t>(num_images); ++i) {
    const auto boxes = dataset.training_boxes(i);
    const auto count = static_cast<int64_t>(boxes.size());
    stats.boxes += count;
    stats.boxes_of_image.push_back(static_cast<int32_t>(count));
    stats.most_boxes = std::max(stats.most_boxes, count);
    for (const LabelledBox& box : boxes) ++stats.boxes_of_class[static_cast<size_t>(box.label)];
  }
  return stats;
}

}  // namespace dfine::inline checks
