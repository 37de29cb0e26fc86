#include "data/packing/unused_classes.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/class_names.h"

namespace dfine::inline packing {
namespace {

/// Removes those of the unused categories for which `drops` holds.
DataNote drop_classes(AnnotationSet& coco, const char* what,
                      const std::function<bool(const Category&)>& drops) {
  constexpr int32_t kUnused = -1;
  std::vector<int32_t> new_label(coco.categories.size(), kUnused);
  for (const CocoAnnotation& annotation : coco.annotations) {
    if (annotation.label >= 0) new_label[static_cast<size_t>(annotation.label)] = 0;
  }
  DataNote dropped{what, 0, {}};
  std::vector<Category> kept;
  for (size_t label = 0; label < new_label.size(); ++label) {
    Category& category = coco.categories[label];
    if (new_label[label] == kUnused && drops(category)) {
      dropped.add(describe(category));
    } else {
      new_label[label] = static_cast<int32_t>(kept.size());
      kept.push_back(std::move(category));
    }
  }
  if (kept.empty())
    throw Error(ErrorCode::kDatasetTooSmall,
                "no class has an annotation, so that none is left after dropping the unused ones",
                "check the annotations");
  coco.categories = std::move(kept);
  for (CocoAnnotation& annotation : coco.annotations) {
    if (annotation.label >= 0) annotation.label = new_label[static_cast<size_t>(annotation.label)];
  }
  return dropped;
}

}  // namespace

bool groups_others(const Category& category, std::span<const std::string> supercategories) {
  return std::ranges::binary_search(supercategories, folded_class_name(category.name));
}

DataNote drop_group_classes(AnnotationSet& coco) {
  return drop_classes(coco, "classes that only group others, dropped",
                      [&](const Category& c) { return groups_others(c, coco.supercategories); });
}

DataNote drop_unused_classes(AnnotationSet& coco) {
  return drop_classes(coco, "classes without annotations, dropped",
                      [](const Category&) { return true; });
}

}  // namespace dfine::inline packing
