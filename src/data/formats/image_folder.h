#pragma once
// What the formats that keep a file of annotations beside each image have in common.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/annotation_set.h"

namespace dfine::inline formats {

/// An image with its annotations; ids are given later.
struct FolderImage {
  CocoImage image;
  std::vector<CocoAnnotation> annotations;
  std::vector<std::string> problems;  // each names file and line: the image cannot be used
};

/// Ids 1, 2, ... for images and annotations, in their order. Throws Error where a class name from
/// `source` is not UTF-8.
AnnotationSet coco_from_folder(std::vector<Category> categories, std::vector<FolderImage> images,
                               const std::filesystem::path& source);

/// Is this the name of an image file of a format that can be read, going by its extension? The
/// content has the last word.
bool has_image_extension(const std::filesystem::path& path);

/// Width and height from the file's header. Throws Error, which names the file, when there is no
/// such file, or none.
void read_image_size(const std::filesystem::path& path, CocoImage& image);

/// The file's text, without a byte order mark. Throws Error when it cannot be read, or is no
/// regular file (reading a pipe may wait for ever).
std::string read_text(const std::filesystem::path& path);

struct NumberedLine {
  size_t number = 0;  // from 1
  std::string text;
};

/// The lines of a list, without spaces around them, without empty ones. Throws Error where it is
/// not UTF-8 text, such as what PowerShell writes into a file.
std::vector<NumberedLine> read_numbered_lines(const std::filesystem::path& path);
/// The same without the numbers.
std::vector<std::string> read_lines(const std::filesystem::path& path);

/// "a.txt, line 3".
std::string at_line(const std::filesystem::path& path, size_t line);

}  // namespace dfine::inline formats
