#include "predict/predict_files.h"

#include <nlohmann/json.hpp>

#include "core/printable.h"
#include "core/text.h"
#include "data/coco/read_coco.h"
#include "files/atomic_path.h"

namespace dfine::inline predict {

void write_coco_results(const std::filesystem::path& path,
                        const std::vector<Prediction>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : predictions) {
    const auto& b = p.xyxy;
    nlohmann::ordered_json& record = list.emplace_back();
    record["image_id"] = p.image_id;
    record["file_name"] = utf8_text(p.file_name);
    record["category_id"] = p.category_id;
    if (p.has_name) record["category_name"] = utf8_text(p.label);
    record["bbox"] = {b[0], b[1], b[2] - b[0], b[3] - b[1]};
    record["score"] = p.score;
  }
  write_file_atomically(path, list.dump() + "\n");
}

std::string format_text(const Prediction& p) {
  const auto& b = p.xyxy;
  return str_cat(printable(p.file_name), "  ", printable(p.label), "  ", fixed(p.score, 3), "  ",
                 fixed(b[0], 1), " ", fixed(b[1], 1), " ", fixed(b[2], 1), " ", fixed(b[3], 1));
}

AnnotatedSet read_annotated_set(const std::filesystem::path& annotations) {
  AnnotationSet coco = read_coco(annotations);
  // An annotation of an image that is not listed takes no part in the ids.
  std::erase_if(coco.problems,
                [](const CocoProblem& p) { return p.image == CocoProblem::kNoImage; });
  if (!coco.problems.empty())
    throw_problems(annotations, coco.problems, "correct the file: ids are taken from it");
  AnnotatedSet set{.image_ids = {}, .categories = std::move(coco.categories)};
  for (const auto& image : coco.images) set.image_ids[image.file_name] = image.id;
  return set;
}

}  // namespace dfine::inline predict
