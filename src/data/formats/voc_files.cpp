#include "data/formats/voc_files.h"

#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/formats/image_folder.h"
#include "data/formats/image_listing.h"
#include "files/absolute_path.h"
#include "files/folder_walk.h"
#include "files/lower_extension.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckFolder = "check --annotations: it names the dataset's folder";

class Finder {
 public:
  Finder(const fs::path& folder, const fs::path& images) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed))
      throw Error(kFileMissing, str_cat(folder.string(), " is not a folder"), kCheckFolder);
    files_.annotation_folder = folder / "Annotations";
    if (!fs::is_directory(files_.annotation_folder, failed)) files_.annotation_folder = folder;
    files_.image_folder = images;
    if (images.empty()) files_.image_folder = side_by_side(folder) ? folder : folder / "JPEGImages";
    if (!fs::is_directory(files_.image_folder, failed))
      throw Error(kFileMissing, str_cat(files_.image_folder.string(), " does not exist"),
                  "name the folder of the images with --images");
  }

  VocFiles find() {
    const bool one_folder = side_by_side(files_.image_folder);
    walk(files_.annotation_folder, true, one_folder);
    if (!one_folder) walk(files_.image_folder, false, true);
    take_other_images();
    if (files_.xml.empty())
      throw Error(kDatasetTooSmall,
                  str_cat(files_.annotation_folder.string(), " holds no XML files"), kCheckFolder);
    note("hidden files and folders, not read", hidden_);
    note("files of other kinds among the images and XML files, not read", others_);
    note(kCycles, cycles_);
    return std::move(files_);
  }

 private:
  using Paths = std::map<std::string, std::string>;  // absolute path -> as in messages

  static std::string key_of(const fs::path& path) { return absolute_path(path).string(); }

  bool side_by_side(const fs::path& image_folder) const {
    std::error_code failed;
    return fs::equivalent(files_.annotation_folder, image_folder, failed);
  }

  /// One of the two folders may lie in the other: what is read there is nothing of another kind.
  void walk(const fs::path& folder, bool take_xml, bool take_images) {
    const FolderFiles found = walk_folder(folder);
    for (const fs::path& file : found.hidden)
      hidden_.emplace(key_of(folder / file), (folder / file).string());
    for (const fs::path& link : found.cycles)
      cycles_.emplace(key_of(folder / link), (folder / link).string());
    for (const fs::path& file : found.files) {
      const fs::path path = folder / file;
      if (take_xml && lower_extension(file) == ".xml") {
        VocXml& xml = files_.xml[voc_id(file)];
        (xml.path.empty() ? xml.path : xml.twin) = path;
      } else if (take_images && has_image_extension(file)) {
        files_.images[voc_id(file)].insert(file.generic_string());
      } else {
        others_.emplace(key_of(path), path.string());
        if (take_images) other_names_.push_back(file);
        continue;
      }
      read_.insert(key_of(path));
    }
  }

  /// Images with another extension, whose XML file has no image: k.gif of k.xml.
  void take_other_images() {
    std::map<std::string, std::set<std::string>> found;
    for (const fs::path& file : other_names_) {
      const std::string id = voc_id(file);
      const fs::path path = files_.image_folder / file;
      if (!files_.xml.contains(id) || files_.images.contains(id) || !may_be_image(path)) continue;
      found[id].insert(file.generic_string());
      read_.insert(key_of(path));
    }
    files_.images.merge(found);
  }

  void note(const char* what, const Paths& paths) {
    DataNote note{what, 0, {}};
    for (const auto& [key, path] : paths) {
      if (!read_.contains(key)) note.add(path);
    }
    append_note(files_.notes, std::move(note));
  }

  VocFiles files_;
  std::set<std::string> read_;
  std::vector<fs::path> other_names_;  // in the image folder, relative to it
  Paths hidden_, others_, cycles_;
};

}  // namespace

std::string voc_id(const fs::path& file) {
  return fs::path(file).replace_extension().generic_string();
}

VocFiles find_voc_files(const fs::path& folder, const fs::path& images) {
  return Finder(folder, images).find();
}

}  // namespace dfine::inline formats
