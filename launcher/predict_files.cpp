#include "predict_files.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

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

/// Without "." and "..", and without following links: a link's own name is what the user knows.
std::filesystem::path absolute_path(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

void remove_repeated(std::vector<ImageFile>& files) {
  std::set<std::filesystem::path> seen;
  std::erase_if(files, [&](const ImageFile& file) { return !seen.insert(absolute_path(file.path)).second; });
}

/// `name` with one more folder of the path it ends: a.jpg of /x/y/a.jpg becomes y/a.jpg, at last x/y/a.jpg.
std::string longer_name(const ImageFile& file) {
  const auto path = absolute_path(file.path).relative_path();
  const std::filesystem::path name(file.name);
  const auto whole = std::distance(path.begin(), path.end()), kept = std::distance(name.begin(), name.end());
  std::filesystem::path longer;
  for (auto part = std::next(path.begin(), std::max<std::ptrdiff_t>(0, whole - kept - 1)); part != path.end(); ++part) longer /= *part;
  return longer.string();
}

/// Ends, because the paths differ and names only grow towards them.
void tell_names_apart(std::vector<ImageFile>& files) {
  for (bool changed = true; std::exchange(changed, false);) {
    std::map<std::string, int> count;
    for (const ImageFile& file : files) ++count[file.name];
    for (ImageFile& file : files) {
      if (count[file.name] < 2) continue;
      file.name = longer_name(file);
      changed = true;
    }
  }
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
        found.push_back({entry.path(), entry.path().lexically_relative(path).string()});
      }
    }
    if (found.empty()) throw Error(cat(path.string(), ": no .jpg, .jpeg, .png or .webp files in this folder"));
    std::sort(found.begin(), found.end(), [](const ImageFile& a, const ImageFile& b) { return a.name < b.name; });
    files.insert(files.end(), found.begin(), found.end());
  }
  remove_repeated(files);
  tell_names_apart(files);
  return files;
}

void write_coco_results(const std::filesystem::path& path, const std::vector<Prediction>& predictions) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : predictions) {
    const auto& b = p.xyxy;
    nlohmann::ordered_json& record = list.emplace_back();
    record["image_id"] = p.image_id;
    record["file_name"] = p.file_name;
    record["category_id"] = p.category_id;
    if (p.has_name) record["category_name"] = p.label;
    record["bbox"] = {b[0], b[1], b[2] - b[0], b[3] - b[1]};
    record["score"] = p.score;
  }
  // File names need not be UTF-8; JSON must be.
  write_file_atomically(path, list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string format_text(const Prediction& p) {
  const auto& b = p.xyxy;
  return cat(p.file_name, "  ", p.label, "  ", fixed(p.score, 3), "  ", fixed(b[0], 1), " ", fixed(b[1], 1), " ", fixed(b[2], 1), " ",
             fixed(b[3], 1));
}

AnnotatedSet read_annotated_set(const std::filesystem::path& annotations) {
  Coco coco = read_coco(annotations);
  AnnotatedSet set{.image_ids = {}, .categories = std::move(coco.categories)};
  for (const auto& image : coco.images) set.image_ids[image.file_name] = image.id;
  return set;
}

}  // namespace dfine
