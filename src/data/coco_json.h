#pragma once
// First half of reading COCO: JSON text to records as they stand. The second half (coco.cpp) relates them to each other.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/coco.h"

namespace dfine {

struct RawFault {
  size_t record = 0;    // index into the list
  std::string message;  // "bbox holds NaN (at byte 1234)"
};

struct RawImage {
  std::optional<int64_t> id;
  CocoImage image;
};

struct RawAnnotation {
  std::optional<int64_t> id, image_id, category_id;
  CocoAnnotation annotation;
};

struct RawCoco {
  std::vector<Category> categories;  // in order of the file
  std::vector<RawImage> images;
  std::vector<RawAnnotation> annotations;
  std::vector<RawFault> image_faults, annotation_faults;  // in order of the records
};

/// Throws Error for whatever makes the file as a whole unusable (see read_coco).
RawCoco read_coco_json(const std::filesystem::path& path);

}  // namespace dfine
