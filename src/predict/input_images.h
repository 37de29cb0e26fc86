#pragma once
// Which files dfine-predict works on: every file in the given folders is an image, or listed with
// the reason why it is not.
#include <filesystem>
#include <string>
#include <vector>

#include "core/error_code.h"

namespace dfine::inline predict {

struct ImageFile {
  std::filesystem::path path;
  std::string name;  // of the file, relative to the folder it was found in; unlike all others
};

struct FileNote {
  std::filesystem::path path;
  std::string reason;  // without the path
  ErrorCode code = ErrorCode::kFileUnreadable;
};

struct ImageListing {
  /// What looks like an image by content or by name, whether it can be decoded or not. They are in
  /// the order of the given paths, and in ascending order of name within a folder.
  std::vector<ImageFile> images;
  /// What may be an image, but cannot even be opened: links to nothing with the name of an image,
  /// folders without permission, ...
  std::vector<FileNote> unreadable;
  /// Everything else: hidden files, files that are no images, links back to a folder above them.
  std::vector<FileNote> skipped;
};

/// Each path is one of these:
/// - a file, taken as it is given;
/// - a folder, searched with its sub-folders; links to folders are followed, except to a folder
/// that
///   contains them;
/// - a pattern such as photos/**/*.jpg, where nothing has that very name. What it finds counts as
///   in a folder (path_pattern.h);
/// - a list: a file NAME.txt with one file or folder per line, relative to the list. Lines that
///   begin with # are comments.
/// A file given twice is taken once. Different files of one name get as many folders of their path
/// in front as tell them apart: d1/a.jpg and d2/a.jpg. Throws Error naming a path that does not
/// exist, with the line of a list, or what holds no images.
ImageListing collect_images(const std::vector<std::filesystem::path>& paths);

/// One line per reason, with the number of files and the first names: "  hidden: 3 files (.a.jpg,
/// .b.jpg and 1 more)".
std::string group_by_reason(const std::vector<FileNote>& notes);

}  // namespace dfine::inline predict
