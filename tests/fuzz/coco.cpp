// Any bytes as an annotation file: an Error, or a Coco that keeps the promises of data/coco.h.
#include "data/coco.h"

#include <cmath>

#include "core/error.h"
#include "memory_file.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const dfine::Coco& coco) {
  const auto images = static_cast<int64_t>(coco.images.size());
  require(coco.first.size() == coco.images.size() + 1);
  require(coco.first.front() == 0 && coco.first.back() == coco.annotations.size());
  for (size_t i = 0; i < coco.images.size(); ++i) {
    require(coco.first[i] <= coco.first[i + 1]);
    require(!dfine::describe(coco.images[i]).empty());
  }
  for (size_t c = 1; c < coco.categories.size(); ++c) require(coco.categories[c - 1].id < coco.categories[c].id);
  std::vector<bool> bad(coco.images.size(), false);
  for (const dfine::CocoProblem& problem : coco.problems) {
    require(!problem.message.empty() && problem.image >= dfine::CocoProblem::kNoImage && problem.image < images);
    if (problem.image >= 0) bad[static_cast<size_t>(problem.image)] = true;
  }
  // What no problem names is fit for packing.
  for (size_t i = 0; i < coco.images.size(); ++i) {
    if (bad[i]) continue;
    for (const dfine::CocoAnnotation& annotation : coco.annotations_of(i)) {
      require(annotation.label >= 0 && static_cast<size_t>(annotation.label) < coco.categories.size());
      for (const double value : annotation.bbox) require(std::isfinite(value));
      require(std::isfinite(annotation.area));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const dfine::fuzz::MemoryFile file({data, size});
  try {
    check(dfine::read_coco(file.path()));
  } catch (const dfine::Error&) {
  }
  return 0;
}
