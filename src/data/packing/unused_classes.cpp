#include "data/packing/unused_classes.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "core/error.h"

namespace dfine {

DataNote drop_unused_classes(Coco& coco) {
  constexpr int32_t kUnused = -1;
  std::vector<int32_t> new_label(coco.categories.size(), kUnused);
  for (const CocoAnnotation& annotation : coco.annotations) {
    if (annotation.label >= 0) new_label[static_cast<size_t>(annotation.label)] = 0;
  }
  DataNote dropped{"classes without annotations, dropped", 0, {}};
  std::vector<Category> kept;
  for (size_t label = 0; label < new_label.size(); ++label) {
    Category& category = coco.categories[label];
    if (new_label[label] == kUnused) {
      dropped.add(describe(category));
    } else {
      new_label[label] = static_cast<int32_t>(kept.size());
      kept.push_back(std::move(category));
    }
  }
  if (kept.empty())
    throw Error("no class has an annotation, so that --drop-unused-classes leaves none",
                "check the annotations");
  coco.categories = std::move(kept);
  for (CocoAnnotation& annotation : coco.annotations) {
    if (annotation.label >= 0) annotation.label = new_label[static_cast<size_t>(annotation.label)];
  }
  return dropped;
}

}  // namespace dfine
