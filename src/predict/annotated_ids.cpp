#include "predict/annotated_ids.h"

#include <utility>

#include "data/coco/read_coco.h"

namespace dfine::inline predict {

AnnotatedIds read_annotated_ids(const std::filesystem::path& annotations) {
  AnnotationSet coco = read_coco(annotations);
  // An annotation of an image that is not listed takes no part in the ids.
  std::erase_if(coco.problems,
                [](const CocoProblem& p) { return p.image == CocoProblem::kNoImage; });
  if (!coco.problems.empty())
    throw_problems(annotations, coco.problems, "correct the file: ids are taken from it");
  AnnotatedIds ids{.images = {}, .categories = std::move(coco.categories)};
  for (const auto& image : coco.images) ids.images[image.file_name] = image.id;
  return ids;
}

}  // namespace dfine::inline predict
