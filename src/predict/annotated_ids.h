#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine::inline predict {

/// What predictions take from a COCO annotation file, so that they carry the ids of a dataset.
struct AnnotatedIds {
  std::map<std::string, int64_t> images;  // by file_name
  std::vector<Category> categories;
};
/// Throws Error when a record of the file is unusable.
AnnotatedIds read_annotated_ids(const std::filesystem::path& annotations);

}  // namespace dfine::inline predict
