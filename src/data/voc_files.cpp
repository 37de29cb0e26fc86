#include "data/voc_files.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/folder_walk.h"
#include "data/image_folder.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckFolder = "check --annotations: it names the data set's folder";

bool is_xml(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return extension == ".xml";
}

std::string id_of(const fs::path& file) {
  return fs::path(file).replace_extension().generic_string();
}

class Finder {
 public:
  Finder(const fs::path& folder, const fs::path& images) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed))
      throw Error(cat(folder.string(), " is not a folder"), kCheckFolder);
    files_.annotation_folder = folder / "Annotations";
    if (!fs::is_directory(files_.annotation_folder, failed)) files_.annotation_folder = folder;
    files_.image_folder = images;
    if (images.empty()) files_.image_folder = side_by_side(folder) ? folder : folder / "JPEGImages";
    if (!fs::is_directory(files_.image_folder, failed))
      throw Error(cat(files_.image_folder.string(), " does not exist"),
                  "name the folder of the images with --images");
  }

  VocFiles find() {
    walk(files_.annotation_folder, true, side_by_side(files_.image_folder));
    if (!side_by_side(files_.image_folder)) walk(files_.image_folder, false, true);
    if (files_.xml.empty())
      throw Error(cat(files_.annotation_folder.string(), " holds no XML files"), kCheckFolder);
    append_note(files_.notes, std::move(hidden_));
    append_note(files_.notes, std::move(others_));
    return std::move(files_);
  }

 private:
  bool side_by_side(const fs::path& image_folder) const {
    return files_.annotation_folder == image_folder;
  }

  void walk(const fs::path& folder, bool take_xml, bool take_images) {
    const FolderFiles found = walk_folder(folder);
    for (const fs::path& file : found.hidden) hidden_.add((folder / file).string());
    for (const fs::path& file : found.files) {
      if (take_xml && is_xml(file)) {
        VocXml& xml = files_.xml[id_of(file)];
        (xml.path.empty() ? xml.path : xml.twin) = folder / file;
      } else if (take_images && has_image_extension(file)) {
        files_.images[id_of(file)].insert(file.generic_string());
      } else {
        others_.add((folder / file).string());
      }
    }
  }

  VocFiles files_;
  DataNote hidden_{"hidden files and folders, not read", 0, {}};
  DataNote others_{"files of other kinds among the images and XML files, not read", 0, {}};
};

}  // namespace

VocFiles find_voc_files(const fs::path& folder, const fs::path& images) {
  return Finder(folder, images).find();
}

}  // namespace dfine
