#include "predict_files.h"

#include <nlohmann/json.hpp>

#include "core/atomic_path.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/coco.h"

namespace dfine {

void write_coco_results(const std::filesystem::path& path, const std::vector<Prediction>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : predictions) {
    const auto& b = p.xyxy;
    list.push_back({{"image_id", p.image_id},
                    {"file_name", utf8_text(p.file_name)},
                    {"category_id", p.category_id},
                    {"bbox", {b[0], b[1], b[2] - b[0], b[3] - b[1]}},
                    {"score", p.score}});
  }
  write_file_atomically(path, list.dump() + "\n");
}

std::string format_text(const Prediction& p) {
  const auto& b = p.xyxy;
  return cat(printable(p.file_name), "  ", printable(p.label), "  ", fixed(p.score, 3), "  ", fixed(b[0], 1), " ", fixed(b[1], 1), " ", fixed(b[2], 1), " ",
             fixed(b[3], 1));
}

std::map<std::string, int64_t> read_image_ids(const std::filesystem::path& annotations) {
  std::map<std::string, int64_t> ids;
  const Coco coco = read_coco(annotations);
  if (!coco.problems.empty()) throw_problems(annotations, coco.problems, "correct the file: image ids are taken from it");
  for (const auto& image : coco.images) ids[image.file_name] = image.id;
  return ids;
}

}  // namespace dfine
