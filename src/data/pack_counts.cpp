#include "data/pack_counts.h"

#include <algorithm>

namespace dfine {

void BoxNotes::append(const BoxNotes& later) {
  count += later.count;
  first.insert(first.end(), later.first.begin(),
               later.first.begin() + static_cast<ptrdiff_t>(std::min(later.first.size(), kKept - first.size())));
}

void PackCounts::add(const std::string& file_name, std::span<const PlacedBox> boxes, const CheckedImage& checked) {
  if (checked.orientation != 1) ++oriented;
  if (checked.resized) ++resized;
  size_t targets = 0;
  for (const PlacedBox& placed : boxes) {
    const CocoAnnotation& annotation = *placed.annotation;
    if (!annotation.area_given) ++missing_areas;
    if (!placed.box) {
      dropped.add(file_name, annotation.id);
      continue;
    }
    if (placed.box->clipped) clipped.add(file_name, annotation.id);
    ClassCount& of_class = classes[static_cast<size_t>(annotation.label)];
    ++(annotation.iscrowd ? of_class.crowds : of_class.boxes);
    if (!annotation.iscrowd) ++targets;
  }
  if (targets == 0) ++empty_images;
}

void PackCounts::append(const PackCounts& later) {
  empty_images += later.empty_images;
  missing_areas += later.missing_areas;
  oriented += later.oriented;
  resized += later.resized;
  for (size_t label = 0; label < classes.size(); ++label) {
    classes[label].boxes += later.classes[label].boxes;
    classes[label].crowds += later.classes[label].crowds;
  }
  clipped.append(later.clipped);
  dropped.append(later.dropped);
}

}  // namespace dfine
