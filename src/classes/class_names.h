#pragma once
// Classes by name: the lists that published detectors were trained on, and which names mean the
// same class.
#include <cstdint>
#include <string>
#include <vector>

namespace dfine::inline classes {

/// COCO's 80 classes, by label.
const std::vector<std::string>& coco_class_names();

/// Their category ids in COCO's annotation files, by label: from 1 to 90, with gaps.
const std::vector<int64_t>& coco_category_ids();

/// Objects365's 365 classes, by label, correctly spelled (the second list in src/solver/_solver.py
/// of Peterande/D-FINE).
const std::vector<std::string>& objects365_class_names();

/// Whether these are names, not LABEL_0, LABEL_1, ... in any order, as transformers calls classes
/// without names.
bool names_classes(const std::vector<std::string>& names);

/// The names behind the rows of weights that describe_weights() gave `names`: those, if
/// names_classes() holds. Then 80 classes are COCO's and 365 Objects365's. Of 366 the first has no
/// name (empty) and the rest are Objects365's: the published Objects365 weights number them from 1.
/// Other counts: empty, nothing is known.
std::vector<std::string> known_class_names(const std::vector<std::string>& names);

constexpr int64_t kNoClass = -1;

/// For each of `wanted` the place in `known` of the class with that name, or kNoClass. The same
/// spelling comes first; then case, spaces, underscores, hyphens and slashes do not count; then
/// names that mean the same do (class_meaning() in data/class_names.h). The first of equals is
/// taken.
std::vector<int64_t> match_class_names(const std::vector<std::string>& wanted,
                                       const std::vector<std::string>& known);

}  // namespace dfine::inline classes
