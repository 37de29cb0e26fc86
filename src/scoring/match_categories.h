#pragma once
// Category ids of a results file that mean other classes than the annotation file's.
#include <string>
#include <vector>

#include "metrics/coco_json.h"

namespace dfine::inline scoring {

/// Compares the class names of `names` (the records') with those that their category ids have in
/// `truth`, as match_class_lists() does (classes/class_match.h). An id that `truth` does not have
/// agrees if `truth` does not have the name either.
/// - All agree, or no record has a class name: nothing changes.
/// - `truth` or the records have LABEL_0, LABEL_1, ... for names: nothing changes, and a line that
///   says so is returned.
/// - One does not: each record gets the id of the category with its class's name, and a line that
///   says so is returned (empty otherwise). Error, with both lists, where a class of the records is
///   none of `truth`, and where a record has no class name.
std::string match_by_category_name(const std::vector<Category>& truth, const ResultNames& names,
                                   std::vector<Detection>& detections,
                                   const std::string& predictions, const std::string& annotations);

}  // namespace dfine::inline scoring
