#include "train/preflight.h"

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>

#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "input/multiscale.h"
#include "train/build.h"
#include "train/learner.h"

namespace dfine {
namespace {

/// Grey images, boxes along the diagonal: what is in them does not change how much memory a step takes.
Batch made_up_batch(const Config& config, int64_t boxes, int64_t num_classes) {
  const auto [height, width] = config.data.image_size;
  const int64_t images = config.data.batch_size, total = images * boxes;
  Batch batch;
  batch.images = at::full({images, 3, height, width}, 128, at::kByte);
  batch.targets.counts.assign(static_cast<size_t>(images), boxes);
  batch.targets.labels = at::arange(total, at::kLong).remainder(num_classes);
  const Tensor centre = (at::arange(total, at::kFloat).remainder(boxes) + 1) / static_cast<double>(boxes + 1);
  batch.targets.boxes = at::stack({centre, centre, at::full_like(centre, 0.2), at::full_like(centre, 0.2)}, 1);
  return batch;
}

/// The allocator of the CPU has no type of its own for it.
bool out_of_memory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         std::string_view(error.what_without_backtrace()).find("can't allocate memory") != std::string_view::npos;
}

int64_t peak_bytes(at::Device device) {
  if (!device.is_cpu()) {
    const auto total = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return at::getDeviceAllocator(device.type())->getDeviceStats(device.index()).reserved_bytes[total].peak;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

}  // namespace

Preflight preflight(const Config& config, const Recipe& recipe, const std::vector<Category>& categories, const DataFacts& facts,
                    const Group& group) {
  Preflight result{.size = StepSizes(config).largest(), .boxes = facts.most_boxes};
  if (config.augment.mosaic > 0 && config.data.augment == Augment::kDfine) result.boxes *= 4;
  if (config.augment.mixup > 0 && config.data.augment == Augment::kDfine) result.boxes *= 2;
  try {
    Learner trial(build_model(config, categories, false, group), config, recipe, group);
    const Batch batch = made_up_batch(config, result.boxes, static_cast<int64_t>(categories.size()));
    trial.step(std::vector<Batch>(static_cast<size_t>(config.train.accumulate), batch), result.size, 0);
    result.peak_bytes = peak_bytes(group.device());
  } catch (const c10::Error& e) {
    if (!out_of_memory(e)) throw;
    throw Error(cat("the largest step of this run does not fit into the memory of ", group.device().str(), ": ",
                    counted(config.data.batch_size, "image"), " of ", result.size.height, "x", result.size.width, " with ", result.boxes,
                    " boxes each"),
                "lower data.batch_size (and raise train.accumulate as much), lower data.image_size, set data.multiscale = false, or take "
                "images with fewer boxes");
  }
  return result;
}

}  // namespace dfine
