#include "data/packing/repeats.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "core/text.h"

namespace dfine::inline packing {
namespace {

DataNote same_files(const AnnotationSet& coco, const PackPlan& plan) {
  std::vector<std::pair<FileId, size_t>> files;  // with the image's index
  for (const PlannedShard& shard : plan.shards) {
    for (const PlannedImage& image : shard.images) files.emplace_back(image.file, image.index);
  }
  std::ranges::sort(files);
  std::map<size_t, std::string> groups;  // by their first image
  for (auto at = files.begin(); at != files.end();) {
    const auto end =
        std::find_if(at, files.end(), [&](const auto& other) { return other.first != at->first; });
    if (end - at > 1) {
      std::string& text = groups[at->second];
      for (auto one = at; one != end; ++one)
        text += str_cat(text.empty() ? "" : " = ", describe(coco.images[one->second]));
    }
    at = end;
  }
  DataNote note{"image files under several image ids, packed once per id", 0, {}};
  for (auto& [first, text] : groups) note.add(std::move(text));
  return note;
}

void add_repeated(const AnnotationSet& coco, size_t image, DataNote& note) {
  const std::span<const CocoAnnotation> all = coco.annotations_of(image);
  const auto key = [&](size_t k) { return std::tie(all[k].label, all[k].bbox, all[k].iscrowd); };
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<std::pair<size_t, size_t>> repeats;  // a repetition and the one that stands first
  for (size_t k = 1, first = 0; k < order.size(); ++k) {
    if (key(order[k]) != key(order[first])) {
      first = k;
    } else {
      repeats.emplace_back(order[k], order[first]);
    }
  }
  std::ranges::sort(repeats);
  for (const auto& [later, first] : repeats) {
    const auto& [x, y, w, h] = all[later].bbox;
    note.add(str_cat(describe(coco.images[image]), ": annotation ", all[later].id,
                     " is annotation ", all[first].id, " again (",
                     coco.categories[static_cast<size_t>(all[later].label)].name, ", ", x, " ", y,
                     " ", w, " ", h, ")"));
  }
}

}  // namespace

std::vector<DataNote> find_repeats(const AnnotationSet& coco, const PackPlan& plan) {
  std::vector<DataNote> notes;
  append_note(notes, same_files(coco, plan));
  std::vector<size_t> images;
  for (const PlannedShard& shard : plan.shards) {
    for (const PlannedImage& image : shard.images) images.push_back(image.index);
  }
  std::ranges::sort(images);  // the two sides of a split in one order
  DataNote annotations{
      "annotations that repeat another one of their image (same class and box), kept", 0, {}};
  for (const size_t image : images) add_repeated(coco, image, annotations);
  append_note(notes, std::move(annotations));
  return notes;
}

}  // namespace dfine::inline packing
