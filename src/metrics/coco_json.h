#pragma once
// What COCO evaluation needs of an annotation file and of a results file. Other fields
// (segmentation, ...) are skipped.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "metrics/coco_types.h"

namespace dfine::inline metrics {

/// Of an annotation file (data/coco/raw_coco.h reads it): images {id, file_name}, categories {id,
/// name}, annotations {id, image_id, category_id, bbox, area, iscrowd}, in order of the file. A
/// missing `area` becomes w * h. Throws Error that names the file and the first unusable record.
/// Annotations on images or of categories that are not listed are usable, but evaluation leaves
/// them out.
/// `threads` 0 takes one for every core.
GroundTruth read_coco_ground_truth(const std::filesystem::path& file, int threads = 0);

/// Records of a results file, from `first` to the next one's, that are on one image and name one
/// file.
struct NamedRecords {
  size_t first = 0;
  int64_t image_id = 0;
  std::string file_name;  // empty: those records name no file
};

/// What records of a results file say beside their ids, as those of dfine-predict do.
struct ResultNames {
  std::vector<NamedRecords>
      files;  // by "file_name": all records in order, or nothing if none has one
  std::vector<Category>
      categories;  // by "category_name": the ids of records that have one, each once
  bool unnamed_categories = false;  // some record has none
};

/// Of a results file: [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...]; the list
/// may be empty. Throws Error that names the file, the record (counted from 0), the field and its
/// value. `names`, if not null, gets the names that the records have. `threads` as above.
std::vector<Detection> read_coco_detections(const std::filesystem::path& file,
                                            ResultNames* names = nullptr, int threads = 0);

}  // namespace dfine::inline metrics
