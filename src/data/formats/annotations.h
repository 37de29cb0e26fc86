#pragma once
// What each reader of a format gives.
#include <filesystem>
#include <vector>

#include "data/annotation_set.h"
#include "data/data_note.h"

namespace dfine::inline formats {

struct Annotations {
  AnnotationSet coco;
  std::filesystem::path image_folder;  // that file names are relative to
  std::vector<DataNote> notes;         // for the closing summary
};

}  // namespace dfine::inline formats
