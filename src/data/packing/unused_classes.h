#pragma once
#include <span>
#include <string>

#include "data/annotation_set.h"
#include "data/data_note.h"

namespace dfine::inline packing {

/// Do other categories name this one as theirs? `supercategories`: see AnnotationSet.
bool groups_others(const Category& category, std::span<const std::string> supercategories);

/// Removes the categories that group others and that no annotation has: see drop_unused_classes().
DataNote drop_group_classes(AnnotationSet& coco);

/// Removes the categories that no annotation has, and says which. The other ones keep their ids;
/// labels start at 0 again. Throws Error when none is left.
DataNote drop_unused_classes(AnnotationSet& coco);

}  // namespace dfine::inline packing
