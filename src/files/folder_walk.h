#pragma once
#include <filesystem>
#include <vector>

namespace dfine::inline files {

struct FolderFiles {
  std::vector<std::filesystem::path> files;   // relative to the folder, in ascending order
  std::vector<std::filesystem::path> hidden;  // files and folders whose name begins with a dot
  std::vector<std::filesystem::path> cycles;  // links to a folder that holds them, not followed
};

/// All files below the folder but hidden ones, such as .ipynb_checkpoints/ and the ._NAME files of
/// macOS. Links to folders are followed, except to a folder that holds the link. Links that lead
/// nowhere count as files: who reads them says so. Throws Error when a folder cannot be read.
FolderFiles walk_folder(const std::filesystem::path& folder);

}  // namespace dfine::inline files
