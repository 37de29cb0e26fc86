#pragma once
#include <span>
#include <string>
#include <vector>

#include "data/category.h"
#include "data/data_warning.h"
#include "data/report/counts.h"

namespace dfine::inline packing {

/// Warnings from the classes and the counts of a whole dataset (of both sides of a split).
///
/// They tell of boxes that are relative to the image instead of in pixels and of more boxes in an
/// image than a model predicts. Others are about classes of crowd regions alone, two classes of one
/// name, and classes without annotations that only group others. `supercategories`: see
/// AnnotationSet.
std::vector<DataWarning> find_warnings(const std::vector<Category>& categories,
                                       const PackCounts& counts,
                                       std::span<const std::string> supercategories);

}  // namespace dfine::inline packing
