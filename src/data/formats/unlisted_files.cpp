#include "data/formats/unlisted_files.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "data/formats/image_listing.h"

namespace dfine::inline formats {
namespace {

namespace fs = std::filesystem;

/// The file names, in ascending order, without those that leave the folder.
std::vector<std::string> listed_names(const AnnotationSet& coco) {
  std::vector<std::string> names;
  names.reserve(coco.images.size());
  for (const CocoImage& image : coco.images) {
    const fs::path path = fs::path(image.file_name).lexically_normal();
    if (!path.empty() && !path.is_absolute() && *path.begin() != "..")
      names.push_back(path.generic_string());
  }
  std::ranges::sort(names);
  return names;
}

/// The folder that the first and the last of the sorted names have in common, and so all: "train/",
/// or "".
std::string common_folder(const std::vector<std::string>& names) {
  const std::string &first = names.front(), &last = names.back();
  const auto end = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  const std::string common(first.begin(), end);
  return common.substr(0, common.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

std::vector<DataNote> find_unlisted_files(const AnnotationSet& coco, const fs::path& image_folder,
                                          ThreadPool& pool) {
  const std::vector<std::string> names = listed_names(coco);
  if (names.empty()) return {};
  const std::string common = common_folder(names);
  const fs::path folder = image_folder / common;
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return {};  // every image is missing, and each is reported
  const auto is_listed = [&](const fs::path& file) {
    const std::string name = common + file.generic_string();
    if (std::ranges::binary_search(names, name)) return true;
    const std::string as_folder = name + '/';
    const auto inside = std::ranges::lower_bound(names, as_folder);
    return inside != names.end() && inside->starts_with(as_folder);
  };
  UnusedFiles unused;
  DataNote unlisted{"image files that the annotation file does not list, not packed", 0, {}};
  try {
    for (const fs::path& image : list_image_folder(folder, pool, unused, is_listed))
      unlisted.add((folder / image).string());
  } catch (const Error& e) {
    DataNote unknown{
        "folders that could not be searched for images that the annotation file does not list",
        0,
        {}};
    unknown.add(e.message());
    return {std::move(unknown)};
  }
  std::vector<DataNote> notes;
  append_note(notes, std::move(unlisted));
  std::ranges::move(unused.notes(), std::back_inserter(notes));
  return notes;
}

}  // namespace dfine::inline formats
