#pragma once
// Files of dfine-predict: which images, and what is written about them.
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/category.h"

namespace dfine {

struct ImageFile {
  std::filesystem::path path;
  std::string name;  // of the file, relative to the folder it was found in; unlike all others
};

/// Files as given, and every JPEG, PNG and WebP file in the folders (by extension, sub-folders too), in order of name within a folder. A
/// file given twice is taken once. Different files of one name get as many folders of their path in front as tell them apart: d1/a.jpg
/// and d2/a.jpg. Throws Error naming a path that does not exist or a folder without images.
std::vector<ImageFile> collect_images(const std::vector<std::filesystem::path>& paths);

/// One detection as it is written.
struct Prediction {
  int64_t image_id = 0;
  std::string file_name;
  int64_t category_id = 0;
  std::string label;            // the class's name, or what stands for it
  bool has_name = true;         // `label` is the class's name
  int64_t class_index = 0;      // the model's label
  std::array<float, 4> xyxy{};  // pixels of the original image
  float score = 0;
};

/// A COCO results file: a list of {image_id, file_name, category_id, category_name, bbox [x, y, w, h], score}; without category_name where
/// the class has no name. Whole or not at all.
void write_coco_results(const std::filesystem::path& path, const std::vector<Prediction>& predictions);

/// One line: file, label, score, x1 y1 x2 y2.
std::string format_text(const Prediction& prediction);

/// What predictions take from a COCO annotation file, so that they carry the ids of a data set.
struct AnnotatedSet {
  std::map<std::string, int64_t> image_ids;  // by file_name
  std::vector<Category> categories;
};
AnnotatedSet read_annotated_set(const std::filesystem::path& annotations);

}  // namespace dfine
