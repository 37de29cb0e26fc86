#pragma once
// Which category ids the detections of a model are written with.
#include <cstdint>
#include <string>
#include <vector>

#include "data/category.h"
#include "weights/hf_config.h"

namespace dfine::inline predict {

struct CategoryIds {
  std::vector<int64_t> ids;  // [C] by label
  std::string note;  // one line for people: where they come from; empty where nothing needs saying
  std::string warning;  // what is likely not meant; empty if nothing
};

/// With `annotated`, the categories of an annotation file: the ids of the classes with the same
/// names (classes/class_match.h); that file may have further categories. Error, with both lists,
/// when one of the model's classes is not among them. Without: the ids that the model's folder has;
/// COCO's own where the classes are COCO's 80; else the labels 0..C-1, with a warning. `model_name`
/// and `annotations` are for messages.
CategoryIds category_ids(const std::string& model_name, const ModelDescription& model,
                         const std::string& annotations, const std::vector<Category>& annotated);

}  // namespace dfine::inline predict
