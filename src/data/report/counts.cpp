#include "data/report/counts.h"

#include <algorithm>

#include "data/box_policy.h"

namespace dfine::inline report {

bool looks_relative(const std::array<double, 4>& xywh) {
  constexpr double kRounding = 0.01;  // what YOLO trainers tolerate
  const auto [x, y, w, h] = xywh;
  const bool sized = w > 0 && h > 0;  // places without a box are often written as zeros
  return sized && std::min(x, y) >= -1 - kRounding && std::max(x, y) <= 1 + kRounding &&
         std::max(w, h) <= 2 + kRounding;
}

void BoxNotes::append(const BoxNotes& later) {
  count += later.count;
  first.insert(first.end(), later.first.begin(),
               later.first.begin() +
                   static_cast<ptrdiff_t>(std::min(later.first.size(), kKept - first.size())));
}

void PackCounts::add(const std::string& file_name, std::span<const CocoAnnotation> annotations,
                     const CheckedImage& checked) {
  if (checked.orientation != 1) ++oriented;
  if (checked.resized) ++resized;
  size_t targets = 0;
  for (const CocoAnnotation& annotation : annotations) {
    ClassCount& of_class = classes[static_cast<size_t>(annotation.label)];
    if (!annotation.area_given) ++missing_areas;
    if (looks_relative(annotation.bbox)) ++relative;
    if (!clip_box(annotation.bbox, checked.width, checked.height)) {
      dropped.add(file_name, annotation.id);
      ++of_class.dropped;
      continue;
    }
    if (reaches_outside(annotation.bbox, checked.width, checked.height))
      clipped.add(file_name, annotation.id);
    ++(annotation.iscrowd ? of_class.crowds : of_class.boxes);
    if (!annotation.iscrowd) ++targets;
  }
  add_targets(file_name, targets);
}

void PackCounts::add_targets(std::string_view file_name, size_t targets) {
  if (targets == 0) ++empty_images;
  if (targets > kCrowded) ++crowded_images;
  if (targets > most_boxes) {
    most_boxes = targets;
    most_boxes_in = file_name;
  }
}

void PackCounts::append(const PackCounts& later) {
  empty_images += later.empty_images;
  missing_areas += later.missing_areas;
  oriented += later.oriented;
  resized += later.resized;
  relative += later.relative;
  crowded_images += later.crowded_images;
  if (later.most_boxes > most_boxes) {
    most_boxes = later.most_boxes;
    most_boxes_in = later.most_boxes_in;
  }
  for (size_t label = 0; label < classes.size(); ++label) {
    classes[label].boxes += later.classes[label].boxes;
    classes[label].crowds += later.classes[label].crowds;
    classes[label].dropped += later.classes[label].dropped;
  }
  clipped.append(later.clipped);
  dropped.append(later.dropped);
}

}  // namespace dfine::inline report
