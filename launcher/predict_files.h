#pragma once
// What dfine-predict writes about images, and the ids that an annotation file gives them.
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dfine {

/// One detection as it is written.
struct Prediction {
  int64_t image_id = 0;
  std::string file_name;
  int64_t category_id = 0;
  std::string label;            // the class's name
  int64_t class_index = 0;      // the model's label
  std::array<float, 4> xyxy{};  // pixels of the image, upright or as stored (LoadedImage in loaded_image.h)
  float score = 0;
};

/// A COCO results file: a list of {image_id, file_name, category_id, bbox [x, y, w, h], score}. Written atomically. JSON is UTF-8: a
/// byte of a file name that is not stands there as the four letters \xNN.
void write_coco_results(const std::filesystem::path& path, const std::vector<Prediction>& predictions);

/// One line: file, label, score, x1 y1 x2 y2; names printable.
std::string format_text(const Prediction& prediction);

/// file_name -> image id of a COCO annotation file, so that predictions carry the ids of a data set.
/// Throws Error when a record of the file is unusable.
std::map<std::string, int64_t> read_image_ids(const std::filesystem::path& annotations);

}  // namespace dfine
