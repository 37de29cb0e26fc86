#pragma once
// Which files a dataset in VOC form has.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/data_note.h"

namespace dfine::inline formats {

struct VocXml {
  std::filesystem::path path;
  std::filesystem::path twin;  // another file of the same id (0.xml and 0.XML); empty: none
};

/// An id is a path below the folder without its extension: "cam1/0".
struct VocFiles {
  std::filesystem::path image_folder;
  std::map<std::string, VocXml> xml;  // by id
  // By id: names relative to image_folder. Where no readable format has the id of an XML file, also
  // images of other formats: reading them says what is wrong.
  std::map<std::string, std::set<std::string>> images;
  std::vector<DataNote> notes;  // files that are not used

  /// Where the XML file of an id that has none was looked for.
  std::filesystem::path xml_path(const std::string& id) const {
    return annotation_folder / (id + ".xml");
  }

  std::filesystem::path annotation_folder;
};

/// The id of a file, relative to its folder.
std::string voc_id(const std::filesystem::path& file);

/// Finds them in `folder`/Annotations and `folder`/JPEGImages, or side by side in `folder`, with
/// all their sub-folders. `images` is the folder of the images where it is another, else empty.
/// Throws Error when a folder does not exist or there is no XML file.
VocFiles find_voc_files(const std::filesystem::path& folder, const std::filesystem::path& images);

}  // namespace dfine::inline formats
