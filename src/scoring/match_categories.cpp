#include "scoring/match_categories.h"

#include <algorithm>
#include <unordered_map>

#include "classes/class_match.h"
#include "classes/class_names.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline scoring {
namespace {

constexpr const char* kHint =
    "evaluate on the annotation file of the classes that the detections have, or give it to "
    "dfine-predict --annotations, which then "
    "writes its category ids";

/// An id that the truth lacks agrees if the truth lacks the name too: such detections are dropped.
bool agrees(const Category& category, const ClassList& truth) {
  const auto same_id = std::ranges::find(truth.ids, category.id);
  if (same_id == truth.ids.end())
    return match_class_names({category.name}, truth.names).front() == kNoClass;
  const std::string& name = truth.names[static_cast<size_t>(same_id - truth.ids.begin())];
  return match_class_names({category.name}, {name}).front() != kNoClass;
}

}  // namespace

std::string match_by_category_name(const std::vector<Category>& truth, const ResultNames& names,
                                   std::vector<Detection>& detections,
                                   const std::string& predictions, const std::string& annotations) {
  const auto& named = names.categories;
  const ClassList wanted = class_list(predictions, named), given = class_list(annotations, truth);
  if (named.empty()) return {};
  if (!names_classes(wanted.names) || !names_classes(given.names))
    return str_cat(
        names_classes(wanted.names) ? annotations : predictions,
        " does not name its classes: the category ids of the detections are taken as they are");
  const auto differs =
      std::ranges::find_if(named, [&](const Category& c) { return !agrees(c, given); });
  if (differs == named.end()) return {};
  if (names.unnamed_categories) {
    throw Error(
        ErrorCode::kClassMismatch,
        str_cat(
            predictions, ": category_id ", differs->id, " is called \"", differs->name,
            "\", but not in ", annotations,
            "; classes cannot be matched by name either, since some records have no category_name"),
        kHint);
  }
  const ClassMatch match = match_class_lists(given, wanted, MoreClasses::kMayBeGiven, kHint);
  std::unordered_map<int64_t, int64_t> id_of;
  for (size_t i = 0; i < named.size(); ++i)
    id_of[named[i].id] = truth[static_cast<size_t>(match.place[i])].id;
  for (Detection& detection : detections) detection.category_id = id_of.at(detection.category_id);
  return str_cat("the category ids of ", predictions, " are not those of ", annotations,
                 ": classes are matched by name");
}

}  // namespace dfine::inline scoring
