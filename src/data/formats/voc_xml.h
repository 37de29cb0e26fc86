#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/image_folder.h"

namespace dfine::inline formats {

struct VocAnnotation {
  FolderImage image;               // labels are not set yet
  std::vector<std::string> names;  // of the objects
  std::vector<size_t> lines;       // where they stand
  std::string file_name;           // as the file gives it; may be empty
};

/// Parses the XML of one image; what is wrong goes to its problems, with `path` and line.
VocAnnotation parse_voc_xml(std::string_view text, const std::filesystem::path& path);

}  // namespace dfine::inline formats
