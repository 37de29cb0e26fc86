#include "data/voc.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/voc_xml.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

struct Layout {
  fs::path annotations, images;
};

Layout find_layout(const fs::path& folder, const fs::path& images) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed))
    throw Error(cat(folder.string(), " is not a folder"), "check --annotations: it names the data set's folder");
  Layout layout{folder / "Annotations", images};
  if (!fs::is_directory(layout.annotations, failed)) layout.annotations = folder;
  if (images.empty()) layout.images = layout.annotations == folder ? folder : folder / "JPEGImages";
  if (!fs::is_directory(layout.images, failed))
    throw Error(cat(layout.images.string(), " does not exist"), "name the folder of the images with --images");
  return layout;
}

/// Names of the XML files without ".xml", in ascending order.
std::vector<std::string> list_ids(const fs::path& folder) {
  std::vector<std::string> ids;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".xml") ids.push_back(entry.path().stem().string());
  }
  if (ids.empty()) throw Error(cat(folder.string(), " holds no XML files"), "check --annotations: it names the data set's folder");
  std::ranges::sort(ids);
  return ids;
}

/// The ids of a split. Lists of single classes ("aeroplane_train.txt") have a second column, 1, 0 or -1: those with -1 lack the class.
std::vector<std::string> ids_of_split(const fs::path& folder, const std::string& split) {
  std::vector<std::string> ids;
  for (const std::string& line : read_lines(folder / "ImageSets" / "Main" / (split + ".txt"))) {
    std::istringstream words(line);
    std::string id, flag;
    words >> id >> flag;
    if (flag != "-1") ids.push_back(id);
  }
  return ids;
}

/// Image files by their names without extension.
std::map<std::string, std::set<std::string>> images_by_id(const fs::path& folder) {
  std::map<std::string, std::set<std::string>> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (has_image_extension(entry.path())) names[entry.path().stem().string()].insert(entry.path().filename().string());
  }
  return names;
}

std::vector<Category> categories_of(const fs::path& classes, const std::vector<VocAnnotation>& all) {
  std::vector<std::string> names;
  if (!classes.empty()) {
    names = read_lines(classes);
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (!seen.insert(name).second) throw Error(cat(classes.string(), " lists '", name, "' twice"), "give each class once, one a line");
    }
    if (names.empty()) throw Error(cat(classes.string(), " lists no classes"), "give each class once, one a line");
  } else {
    std::set<std::string> found;
    for (const VocAnnotation& annotation : all) found.insert(annotation.names.begin(), annotation.names.end());
    names.assign(found.begin(), found.end());
    if (names.empty())
      throw Error("the XML files hold no objects, so that there are no classes", "name them with --classes FILE, one a line");
  }
  std::vector<Category> categories;
  categories.reserve(names.size());
  for (std::string& name : names) categories.push_back({static_cast<int64_t>(categories.size()), std::move(name)});
  return categories;
}

void set_labels(VocAnnotation& annotation, const fs::path& path, const std::map<std::string, int32_t>& labels) {
  for (size_t k = 0; k < annotation.names.size(); ++k) {
    const auto label = labels.find(annotation.names[k]);
    if (label != labels.end()) {
      annotation.image.annotations[k].label = label->second;
    } else {
      annotation.image.problems.push_back(cat(at_line(path, annotation.lines[k]), ": unknown class \"", annotation.names[k], "\""));
    }
  }
}

}  // namespace

Annotations read_voc(const fs::path& folder, const std::string& split, const fs::path& images, const fs::path& classes, ThreadPool& pool) {
  const Layout layout = find_layout(folder, images);
  const std::vector<std::string> ids = list_ids(layout.annotations);
  const auto xml_path = [&](const std::string& id) { return layout.annotations / (id + ".xml"); };
  std::vector<VocAnnotation> all;
  ordered_parallel(
      pool, ids.size(), 64 * static_cast<size_t>(pool.size() + 1),
      [&](size_t i) { return parse_voc_xml(read_text(xml_path(ids[i])), xml_path(ids[i])); },
      [&](size_t, VocAnnotation annotation) { all.push_back(std::move(annotation)); });
  std::vector<Category> categories = categories_of(classes, all);
  std::map<std::string, int32_t> labels;
  for (const Category& category : categories) labels.emplace(category.name, static_cast<int32_t>(category.id));

  const auto files = images_by_id(layout.images);
  const std::vector<std::string> wanted = split.empty() ? ids : ids_of_split(folder, split);
  std::unordered_set<std::string> seen;
  std::vector<FolderImage> chosen;
  for (const std::string& id : wanted) {
    if (!seen.insert(id).second) throw Error(cat("ImageSets/Main/", split, ".txt lists ", id, " twice"));
    FolderImage image;
    const auto at = std::ranges::lower_bound(ids, id);
    if (at != ids.end() && *at == id) {
      VocAnnotation& annotation = all[static_cast<size_t>(at - ids.begin())];
      set_labels(annotation, xml_path(id), labels);
      image = std::move(annotation.image);
      image.image.file_name = annotation.file_name;
    } else {
      image.problems.push_back(cat(xml_path(id).string(), " does not exist"));
    }
    if (const auto found = files.find(id); found != files.end()) {
      const std::set<std::string>& names = found->second;
      image.image.file_name = *names.begin();
      if (names.size() > 1)
        image.problems.push_back(cat(xml_path(id).string(), " may belong to ", *names.begin(), " or to ", *std::next(names.begin())));
    }
    if (image.image.file_name.empty()) image.image.file_name = id + ".jpg";  // reported as missing
    chosen.push_back(std::move(image));
  }
  return {coco_from_folder(std::move(categories), std::move(chosen)), layout.images, {}};
}

}  // namespace dfine
