#include "run_report/validated_set.h"

#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/coco/read_coco.h"
#include "data/shards/dataset.h"
#include "files/byte_file.h"
#include "metrics/coco_json.h"

namespace dfine::inline run_report {
namespace {

/// Keeps the first of images that are listed twice.
void keep_each_image_once(GroundTruth& truth) {
  std::unordered_set<int64_t> seen;
  size_t kept = 0;
  const bool named = !truth.file_names.empty();
  for (size_t i = 0; i < truth.image_ids.size(); ++i) {
    if (!seen.insert(truth.image_ids[i]).second) continue;
    truth.image_ids[kept] = truth.image_ids[i];
    if (named) truth.file_names[kept] = truth.file_names[i];
    ++kept;
  }
  truth.image_ids.resize(kept);
  if (named) truth.file_names.resize(kept);
}

}  // namespace

ValidatedSet validated_files(const std::filesystem::path& annotations,
                             const std::optional<std::filesystem::path>& images) {
  ValidatedSet set;
  set.name = annotations.string();
  set.truth = read_coco_ground_truth(annotations);
  keep_each_image_once(set.truth);
  std::unordered_map<int64_t, ImageSize> sizes;
  for (const CocoImage& image : read_coco(annotations).images)
    sizes[image.id] = {.height = image.height, .width = image.width};
  for (const int64_t id : set.truth.image_ids) {
    const ImageSize size = sizes[id];
    set.sizes.push_back(size.width > 0 && size.height > 0 ? size : ImageSize{0, 0});
  }
  if (!images) return set;
  std::error_code error;
  if (!std::filesystem::is_directory(*images, error))
    throw Error(ErrorCode::kFileMissing, str_cat(printable(*images), " is no folder"),
                "give the folder that the file names of the annotations are relative to");
  set.read_image = [folder = *images, names = set.truth.file_names](size_t i) {
    const ByteFile file(folder / names.at(i));
    std::vector<uint8_t> bytes;
    file.read(0, file.size(), bytes);
    return bytes;
  };
  return set;
}

ValidatedSet validated_pack(const std::filesystem::path& folder) {
  const auto pack = std::make_shared<PackedDataset>(PackedDataset::open(folder));
  ValidatedSet set;
  set.name = folder.string();
  set.truth.categories = pack->categories();
  for (size_t i = 0; i < pack->size(); ++i) {
    const PackedImage image = pack->image(i);
    set.truth.image_ids.push_back(image.id);
    set.truth.file_names.emplace_back(image.file_name);
    set.sizes.push_back({.height = image.height, .width = image.width});
    for (const PackedBox& box : pack->evaluation_boxes(i)) {
      const Category& category = pack->categories()[static_cast<size_t>(box.label)];
      set.truth.boxes.push_back({.image_id = image.id,
                                 .category_id = category.id,
                                 .annotation_id = box.annotation_id,
                                 .xywh = box.xywh,
                                 .area = box.area,
                                 .iscrowd = box.iscrowd});
    }
  }
  set.read_image = [pack](size_t i) { return pack->read_bytes(i); };
  return set;
}

}  // namespace dfine::inline run_report
