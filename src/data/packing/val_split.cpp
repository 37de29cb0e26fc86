#include "data/packing/val_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "data/split_names.h"

namespace dfine::inline packing {

SplitAssignment one_set(const AnnotationSet& coco) {
  return {{""}, std::vector<uint8_t>(coco.images.size(), 0)};
}

SplitAssignment split_sets(const AnnotationSet& coco, double fraction, uint64_t seed) {
  const size_t count = coco.images.size();
  if (count < 2)
    throw Error(ErrorCode::kDatasetTooSmall,
                str_cat("cannot split ", counted(static_cast<long long>(count), "image"),
                        " into training and validation"));
  std::vector<std::pair<double, int64_t>> draws;
  for (const CocoImage& image : coco.images) {
    draws.emplace_back(
        CounterRandom(seed, Stream::kSplit, static_cast<uint64_t>(image.id)).uniform_double(),
        image.id);
  }
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return draws[a] < draws[b]; });
  const auto wanted = static_cast<size_t>(std::llround(fraction * static_cast<double>(count)));
  SplitAssignment sets{{kTrainSet, kValSet}, std::vector<uint8_t>(count, 0)};
  for (size_t k = 0; k < std::clamp<size_t>(wanted, 1, count - 1); ++k) sets.of_image[order[k]] = 1;
  return sets;
}

}  // namespace dfine::inline packing
