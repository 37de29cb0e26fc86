#include "data/packing/plan.h"

#include <algorithm>
#include <utility>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"
#include "data/formats/image_check.h"
#include "data/shards/format.h"

namespace dfine::inline packing {
namespace {

constexpr size_t kBlock = 256;  // images whose sizes are asked for in one job

struct Found {
  PlannedImage image;
  std::string problem;  // empty: usable
  ErrorCode code = ErrorCode::kInternal;
};

Found find_image(const AnnotationSet& coco, size_t i, const std::filesystem::path& folder) {
  const CocoImage& image = coco.images[i];
  Found found;
  found.image.index = i;
  try {
    found.image.path = resolve_image_path(folder, image.file_name);
    const ImageFileStatus status = image_file_status(found.image.path);
    found.image.size = status.size;
    found.image.file = status.id;
  } catch (const Error& e) {
    found.problem = str_cat(describe(image), ": ", e.message());
    found.code = e.code();
  }
  return found;
}

/// The shards of one pack, filled image by image.
struct Filling {
  std::vector<PlannedShard> shards;
  uint64_t in_shard = 0;

  void take(PlannedImage image, size_t set, uint64_t shard_size) {
    if (shards.empty() || in_shard + image.size > shard_size) {
      shards.push_back({set, shard_file_name(shards.size()), {}});
      in_shard = 0;
    }
    in_shard += image.size;
    shards.back().images.push_back(std::move(image));
  }
};

class Checksum {
 public:
  template <class T>
  void number(const T& value) {
    crc_ = crc32c({reinterpret_cast<const uint8_t*>(&value), sizeof value}, crc_);
  }
  void text(std::string_view value) {
    number(uint64_t{value.size()});
    crc_ = crc32c({reinterpret_cast<const uint8_t*>(value.data()), value.size()}, crc_);
  }
  uint32_t value() const { return crc_; }

 private:
  uint32_t crc_ = 0;
};

void add_image(Checksum& sum, const AnnotationSet& coco, const PlannedImage& planned) {
  const CocoImage& image = coco.images[planned.index];
  sum.number(planned.size);
  sum.number(image.id);
  sum.number(image.width);
  sum.number(image.height);
  sum.text(image.file_name);
  for (const CocoAnnotation& annotation : coco.annotations_of(planned.index)) {
    sum.number(annotation.id);
    sum.number(annotation.bbox);
    sum.number(annotation.area);
    sum.number(annotation.label);
    sum.number(annotation.iscrowd);
  }
}

}  // namespace

uint64_t PlannedShard::bytes() const {
  uint64_t sum = 0;
  for (const auto& image : images) sum += image.size;
  return sum;
}

PackPlan plan_pack(const AnnotationSet& coco, const SplitAssignment& sets,
                   const std::filesystem::path& image_folder, uint64_t shard_size,
                   ThreadPool& pool) {
  PackPlan plan;
  plan.problems = coco.problems;
  std::vector<bool> unusable(coco.images.size(), false);
  for (const auto& problem : coco.problems) {
    if (problem.image != CocoProblem::kNoImage) unusable[static_cast<size_t>(problem.image)] = true;
  }
  std::vector<Filling> fillings(sets.names.size());
  const size_t blocks = (coco.images.size() + kBlock - 1) / kBlock;
  const auto find_block = [&](size_t block) {
    std::vector<Found> found;
    for (size_t i = block * kBlock; i < std::min((block + 1) * kBlock, coco.images.size()); ++i) {
      if (!unusable[i]) found.push_back(find_image(coco, i, image_folder));
    }
    return found;
  };
  ordered_parallel(pool, blocks, 4 * static_cast<size_t>(pool.size()), find_block,
                   [&](size_t, std::vector<Found> block) {
                     for (Found& found : block) {
                       const size_t index = found.image.index, set = sets.of_image[index];
                       if (found.problem.empty()) {
                         fillings[set].take(std::move(found.image), set, shard_size);
                       } else {
                         plan.problems.push_back(
                             {std::move(found.problem), static_cast<int64_t>(index), found.code});
                       }
                     }
                   });
  for (Filling& filling : fillings)
    std::ranges::move(filling.shards, std::back_inserter(plan.shards));
  return plan;
}

uint32_t plan_checksum(const PackPlan& plan, const AnnotationSet& coco,
                       const std::vector<uint64_t>& settings) {
  Checksum sum;
  for (const uint64_t setting : settings) sum.number(setting);
  for (const Category& category : coco.categories) {
    sum.number(category.id);
    sum.text(category.name);
  }
  for (const PlannedShard& shard : plan.shards) {
    sum.number(uint64_t{shard.set});
    sum.text(shard.file);
    for (const PlannedImage& image : shard.images) add_image(sum, coco, image);
  }
  return sum.value();
}

}  // namespace dfine::inline packing
