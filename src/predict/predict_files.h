#pragma once
// What dfine-predict writes about images, and the ids that an annotation file gives them.
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine::inline predict {

/// One detection as it is written.
struct Prediction {
  int64_t image_id = 0;
  std::string file_name;
  int64_t category_id = 0;
  std::string label;        // the class's name, or what stands for it
  bool has_name = true;     // `label` is the class's name
  int64_t class_index = 0;  // the model's label
  std::array<float, 4>
      xyxy{};  // pixels of the image, upright or as stored (LoadedImage in loaded_image.h)
  float score = 0;
};

/// A COCO results file: a list of {image_id, file_name, category_id, category_name, bbox [x, y, w,
/// h], score}; without category_name where the class has no name. Written atomically. JSON is
/// UTF-8: a byte of a name that is not stands there as the four letters \xNN.
void write_coco_results(const std::filesystem::path& path,
                        const std::vector<Prediction>& predictions);

/// One line: file, label, score, x1 y1 x2 y2; names printable.
std::string format_text(const Prediction& prediction);

/// What predictions take from a COCO annotation file, so that they carry the ids of a dataset.
struct AnnotatedSet {
  std::map<std::string, int64_t> image_ids;  // by file_name
  std::vector<Category> categories;
};
/// Throws Error when a record of the file is unusable.
AnnotatedSet read_annotated_set(const std::filesystem::path& annotations);

}  // namespace dfine::inline predict
