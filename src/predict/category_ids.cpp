#include "predict/category_ids.h"

#include <algorithm>
#include <numeric>

#include "classes/class_match.h"
#include "classes/class_names.h"
#include "core/text.h"

namespace dfine::inline predict {
namespace {

/// COCO's ids by label; empty unless the classes are COCO's 80, in whatever order.
std::vector<int64_t> coco_ids(const std::vector<std::string>& names) {
  const auto& coco = coco_class_names();
  std::vector<int64_t> places = match_class_names(names, coco), ids;
  if (places.size() != coco.size()) return {};
  for (const int64_t place : places)
    if (place != kNoClass) ids.push_back(coco_category_ids()[static_cast<size_t>(place)]);
  std::sort(places.begin(), places.end());
  const bool all = std::adjacent_find(places.begin(), places.end()) == places.end() &&
                   places.front() != kNoClass;
  return all ? ids : std::vector<int64_t>();
}

CategoryIds without_annotations(const std::string& model_name, const ModelDescription& model) {
  if (!model.category_ids.empty()) return {.ids = model.category_ids, .note = {}, .warning = {}};
  const auto names = known_class_names(model.class_names);
  CategoryIds result{.ids = coco_ids(names), .note = {}, .warning = {}};
  if (result.ids.empty()) {
    result.ids.resize(model.class_names.size());
    std::iota(result.ids.begin(), result.ids.end(), 0);
    result.warning = str_cat(
        model_name, " has no category ids: category_id is the label, 0 to ", result.ids.size() - 1,
        ". For the ids of a dataset, give its annotation file: --annotations FILE.json");
  } else if (names == model.class_names) {
    result.note =
        "the classes are COCO's: category_id is the one in COCO's annotation files, 1 to 90";
  } else {
    result.warning = str_cat(model_name,
                             " does not name its 80 classes: they are taken to be COCO's, and "
                             "category_id is the one in ",
                             "COCO's annotation files, 1 to 90");
  }
  return result;
}

}  // namespace

CategoryIds category_ids(const std::string& model_name, const ModelDescription& model,
                         const std::string& annotations, const std::vector<Category>& annotated) {
  if (annotations.empty()) return without_annotations(model_name, model);
  const ClassList file = class_list(annotations, annotated);
  const ClassMatch match = match_class_lists(
      file, class_list(model_name, model), MoreClasses::kMayBeGiven,
      "give the annotation file of the classes that the model was trained on, or leave "
      "--annotations out");
  CategoryIds result{.ids = {}, .note = match.note, .warning = match.warning};
  for (const int64_t place : match.place)
    result.ids.push_back(file.ids[static_cast<size_t>(place)]);
  return result;
}

}  // namespace dfine::inline predict
