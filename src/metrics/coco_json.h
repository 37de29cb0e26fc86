#pragma once
// What COCO evaluation needs of an annotation file and of a results file. Other fields (segmentation, ...) are passed over.
#include <filesystem>
#include <vector>

#include "metrics/coco_types.h"

namespace dfine {

/// Of an annotation file (data/coco_json.h reads it): images {id}, categories {id, name}, annotations {id, image_id, category_id, bbox,
/// area, iscrowd}, in order of the file. A missing `area` becomes w * h. Throws Error that names the file and the first unusable record;
/// annotations on images or of categories that are not listed are usable: evaluation leaves them out.
GroundTruth read_coco_ground_truth(const std::filesystem::path& file);

/// Of a results file: [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...]; the list may be empty. Throws Error that names
/// the file, the record (counted from 0), the field and its value.
std::vector<Detection> read_coco_detections(const std::filesystem::path& file);

}  // namespace dfine
