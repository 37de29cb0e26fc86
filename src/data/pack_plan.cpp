#include "data/pack_plan.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/image_check.h"

namespace dfine {
namespace {

constexpr size_t kBlock = 256;  // images whose sizes are asked for in one job

struct Found {
  PlannedImage image;
  std::string problem;  // empty: usable
};

Found find_image(const Coco& coco, size_t i, const std::filesystem::path& folder) {
  const CocoImage& image = coco.images[i];
  Found found;
  found.image.index = i;
  try {
    found.image.path = resolve_image_path(folder, image.file_name);
    found.image.size = image_file_size(found.image.path);
  } catch (const Error& e) {
    found.problem = cat(describe(image), ": ", e.message());
  }
  return found;
}

}  // namespace

PackPlan plan_pack(const Coco& coco, const std::filesystem::path& image_folder, uint64_t shard_size, ThreadPool& pool) {
  PackPlan plan;
  plan.problems = coco.problems;
  std::vector<bool> unusable(coco.images.size(), false);
  for (const auto& problem : coco.problems) {
    if (problem.image != CocoProblem::kNoImage) unusable[static_cast<size_t>(problem.image)] = true;
  }
  uint64_t in_shard = 0;
  const auto take = [&](PlannedImage image) {
    if (plan.shards.empty() || in_shard + image.size > shard_size) {
      plan.shards.emplace_back();
      in_shard = 0;
    }
    in_shard += image.size;
    plan.bytes += image.size;
    ++plan.images;
    plan.shards.back().push_back(std::move(image));
  };
  const size_t blocks = (coco.images.size() + kBlock - 1) / kBlock;
  const auto find_block = [&](size_t block) {
    std::vector<Found> found;
    for (size_t i = block * kBlock; i < std::min((block + 1) * kBlock, coco.images.size()); ++i) {
      if (!unusable[i]) found.push_back(find_image(coco, i, image_folder));
    }
    return found;
  };
  ordered_parallel(pool, blocks, 4 * static_cast<size_t>(pool.size()), find_block, [&](size_t, std::vector<Found> block) {
    for (Found& found : block) {
      if (found.problem.empty()) {
        take(std::move(found.image));
      } else {
        plan.problems.push_back({std::move(found.problem), static_cast<int64_t>(found.image.index)});
      }
    }
  });
  return plan;
}

}  // namespace dfine
