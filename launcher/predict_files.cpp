#include "predict_files.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/atomic_path.h"
#include "core/error.h"
#include "core/text.h"
#include "data/coco.h"

namespace dfine {
namespace {

bool has_image_extension(const std::filesystem::path& path) {
  static const std::set<std::string> kExtensions{".jpg", ".jpeg", ".png", ".webp"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return kExtensions.contains(extension);
}

}  // namespace

std::vector<ImageFile> collect_images(const std::vector<std::filesystem::path>& paths) {
  std::vector<ImageFile> files;
  for (const auto& path : paths) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (!std::filesystem::exists(status))
      throw Error(cat(path.string(), ": no such file or folder"), "give image files or folders to --images");
    if (!std::filesystem::is_directory(status)) {
      files.push_back({path, path.filename().string()});
      continue;
    }
    std::vector<ImageFile> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file() && has_image_extension(entry.path())) {
        found.push_back({entry.path(), std::filesystem::relative(entry.path(), path).string()});
      }
    }
    if (found.empty()) throw Error(cat(path.string(), ": no .jpg, .jpeg, .png or .webp files in this folder"));
    std::sort(found.begin(), found.end(), [](const ImageFile& a, const ImageFile& b) { return a.name < b.name; });
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

void write_coco_results(const std::filesystem::path& path, const std::vector<Prediction>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : predictions) {
    const auto& b = p.xyxy;
    list.push_back({{"image_id", p.image_id},
                    {"file_name", p.file_name},
                    {"category_id", p.category_id},
                    {"bbox", {b[0], b[1], b[2] - b[0], b[3] - b[1]}},
                    {"score", p.score}});
  }
  // File names need not be UTF-8; JSON must be.
  write_file_atomically(path, list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string format_text(const Prediction& p) {
  const auto& b = p.xyxy;
  return cat(p.file_name, "  ", p.label, "  ", fixed(p.score, 3), "  ", fixed(b[0], 1), " ", fixed(b[1], 1), " ", fixed(b[2], 1), " ",
             fixed(b[3], 1));
}

std::map<std::string, int64_t> read_image_ids(const std::filesystem::path& annotations) {
  std::map<std::string, int64_t> ids;
  for (const auto& image : read_coco(annotations).images) ids[image.file_name] = image.id;
  return ids;
}

}  // namespace dfine
