#pragma once
// What a dataset holds, as far as a recipe depends on it.
#include <cstdint>
#include <vector>

namespace dfine::inline shards {
class PackedDataset;
}  // namespace dfine::inline shards

namespace dfine::inline checks {

struct DatasetStats {
  int64_t images = 0;
  int64_t boxes = 0;                         // training targets
  int64_t most_boxes = 0;                    // of them, in one image
  std::vector<int64_t> boxes_of_class;       // [C]
  std::vector<int32_t> boxes_of_image = {};  // [images] training targets of each
};

/// Of the first `num_images` images.
DatasetStats dataset_stats(const PackedDataset& dataset, int64_t num_images);

}  // namespace dfine::inline checks
