#pragma once
// What every reader of annotations promises of its result (data/coco/read_coco.h).
#include <cmath>
#include <cstdlib>
#include <vector>

#include "data/annotation_set.h"

namespace dfine::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void check(const AnnotationSet& coco) {
  const auto images = static_cast<int64_t>(coco.images.size());
  require(coco.offsets.size() == coco.images.size() + 1);
  require(coco.offsets.front() == 0 && coco.offsets.back() == coco.annotations.size());
  for (size_t i = 0; i < coco.images.size(); ++i) {
    require(coco.offsets[i] <= coco.offsets[i + 1]);
    require(!describe(coco.images[i]).empty());
  }
  for (size_t c = 1; c < coco.categories.size(); ++c)
    require(coco.categories[c - 1].id < coco.categories[c].id);
  std::vector<bool> bad(coco.images.size(), false);
  for (const CocoProblem& problem : coco.problems) {
    require(!problem.message.empty() && problem.image >= CocoProblem::kNoImage &&
            problem.image < images);
    if (problem.image >= 0) bad[static_cast<size_t>(problem.image)] = true;
  }
  // What no problem names is fit for packing.
  for (size_t i = 0; i < coco.images.size(); ++i) {
    if (bad[i]) continue;
    for (const CocoAnnotation& annotation : coco.annotations_of(i)) {
      require(annotation.label >= 0 &&
              static_cast<size_t>(annotation.label) < coco.categories.size());
      for (const double value : annotation.bbox) require(std::isfinite(value));
      require(std::isfinite(annotation.area));
    }
  }
}

}  // namespace dfine::fuzz
