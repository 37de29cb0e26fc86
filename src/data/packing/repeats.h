#pragma once
// What stands in a dataset twice. Nothing is changed: some lists repeat images on purpose.
#include <vector>

#include "data/annotation_set.h"
#include "data/data_note.h"
#include "data/packing/plan.h"

namespace dfine::inline packing {

/// Notes on files that are several images: one file name under two ids, or links to one file. Also
/// on annotations of one image that have the same class, box and crowd flag. Only the planned
/// images are examined.
std::vector<DataNote> find_repeats(const AnnotationSet& coco, const PackPlan& plan);

}  // namespace dfine::inline packing
