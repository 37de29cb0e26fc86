#pragma once
// Which files of a folder are images; every other one with the reason why it is none.
#include <filesystem>
#include <vector>

#include "files/file_id.h"
#include "predict/input_images.h"

namespace dfine::inline predict {

class FolderSearch {
 public:
  /// The names of images are their paths below `root`.
  explicit FolderSearch(std::filesystem::path root) : root_(std::move(root)) {}

  /// The folder with its sub-folders, except what is hidden. Links to folders are followed, but not
  /// to a folder that contains them.
  void search(const std::filesystem::path& folder) { search(folder, /*hidden=*/false); }
  /// A file that is not hidden, or what else is no folder.
  void add(const std::filesystem::directory_entry& entry);

  /// All that was found, each list in ascending order.
  ImageListing take();

 private:
  void search(const std::filesystem::path& folder, bool hidden);
  void add_image(const std::filesystem::path& path);

  std::filesystem::path root_;
  std::vector<FileId> above_;  // the folders on the way to the one that is searched
  ImageListing found_;
};

}  // namespace dfine::inline predict
