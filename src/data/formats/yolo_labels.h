#pragma once
#include <filesystem>
#include <string_view>

#include "data/formats/image_folder.h"

namespace dfine::inline formats {

struct YoloLabelFormat {
  size_t classes = 0;
  bool key_points = false;  // lines are boxes with key points after them, not polygons
};

/// Adds the boxes of a label file with the content `text` to `image`, whose size is known. What is
/// wrong goes to its problems, with `path` and line.
void parse_yolo_labels(std::string_view text, const std::filesystem::path& path,
                       const YoloLabelFormat& format, FolderImage& image);

/// Where the labels of an image stand.
std::filesystem::path yolo_label_path(const std::filesystem::path& image);

}  // namespace dfine::inline formats
