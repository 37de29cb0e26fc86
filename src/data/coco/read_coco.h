#pragma once
// COCO annotation files ("instances"), read through simdjson into flat arrays.
//
// Read are: categories {id, name, supercategory}, images {id, file_name, width, height},
// annotations {id, image_id, category_id, bbox [x, y, w, h] in pixels, area, iscrowd}; everything
// else is skipped. `area` may be absent (then w * h), as may `iscrowd` (then 0) and an image's
// width and height (then -1); null counts as absent. Ids are integers of 64 bits. Numbers may be
// written as 3 or 3.0; NaN and Infinity, which Python writes, are understood and reported.
#include <filesystem>

#include "data/annotation_set.h"

namespace dfine::inline coco {

/// Reads the file. Records that are unusable (missing keys, wrong types, keys given twice, NaN, ids
/// given twice, unknown image or category ids) are reported in `problems`; annotations whose image
/// is unknown are dropped. Throws Error, with the place in the file, when it is no such file at
/// all: unreadable, broken JSON, a list missing, categories without id or name or with the same id.
/// `jobs`: threads, 0 for as many as there are cores.
AnnotationSet read_coco(const std::filesystem::path& path, int jobs = 0);

}  // namespace dfine::inline coco
