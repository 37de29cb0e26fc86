#pragma once
// COCO annotation files ("instances"), read through simdjson into flat arrays.
//
// Of categories {id, name, supercategory} are read, of images {id, file_name, width, height}. Of
// annotations {id, image_id, category_id, bbox [x, y, w, h] in pixels, area, iscrowd} are read.
// Everything else is skipped. `area` may be absent (then w * h), as may `iscrowd` (then 0) and an
// image's width and height (then -1); null counts as absent. Ids are integers of 64 bits. Numbers
// may be written as 3 or 3.0; NaN and Infinity, which Python writes, are understood and reported.
#include <filesystem>

#include "data/annotation_set.h"

namespace dfine::inline coco {

/// Reads the file. Unusable records are reported in `problems`. They have missing keys, wrong
/// types, NaN, keys or ids given twice, or unknown image or category ids. Annotations whose image
/// is unknown are dropped. Throws Error, with the place in the file, when the file cannot be read,
/// is broken JSON or lacks a list. So it does for categories without id or name, or with the same
/// id. `jobs`: threads, 0 for as many as there are cores.
AnnotationSet read_coco(const std::filesystem::path& path, int jobs = 0);

}  // namespace dfine::inline coco
