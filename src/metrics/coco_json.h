#pragma once
// What COCO evaluation needs of an annotation file and of a results file. Both are read in one pass; other fields (segmentation, ...) are
// skipped without being checked. Every Error names the file, the list, the record (counted from 0) and the field.
#include <filesystem>
#include <vector>

#include "metrics/coco_types.h"

namespace dfine {

/// {"images": [{"id"}], "categories": [{"id", "name"}], "annotations": [{"id", "image_id", "category_id", "bbox", "area", "iscrowd"}]}.
/// A missing "area" becomes w*h, a missing "iscrowd" 0, a missing "name" the id; anything else that is missing is an Error.
GroundTruth read_coco_ground_truth(const std::filesystem::path& file);

/// The results format: [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}]. The list may be empty.
std::vector<Detection> read_coco_detections(const std::filesystem::path& file);

}  // namespace dfine
