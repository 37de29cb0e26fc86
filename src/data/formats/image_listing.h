#pragma once
// Which files of a folder are images. The others are used for something else, or noted.
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "data/data_note.h"

namespace dfine::inline formats {

/// Title of a note on FolderFiles::cycles.
inline constexpr const char* kCycles = "links to a folder that contains them, not followed";

/// Files that are used for nothing, by their paths.
struct UnusedFiles {
  std::set<std::string>
      hidden;  // files and folders whose name begins with a dot; the folders are not searched
  std::set<std::string>
      others;  // no images: "a.heic", "link: a link to a file that does not exist"
  std::set<std::string> cycles;  // links to a folder that holds them, which are not followed

  std::vector<DataNote> notes() const;
};

/// The image files below the folder, relative to it, in ascending order. These are the files with
/// the extension of an image, and files of other names that begin as an image file does. Only the
/// latter are opened, for their first bytes. Annotations (.txt, .json, .xml) are neither images nor
/// unused. Links to folders are followed, except to a folder that holds the link. `is_used`: files
/// and folders, relative too, that need not be looked at. Throws Error when a folder cannot be
/// read.
std::vector<std::filesystem::path> list_image_folder(
    const std::filesystem::path& folder, ThreadPool& pool, UnusedFiles& unused,
    const std::function<bool(const std::filesystem::path&)>& is_used =
        [](const std::filesystem::path&) { return false; });

/// Is the file a picture of some format by its first bytes, readable or not? Also true where they
/// do not tell: of empty files, broken links and files that cannot be opened. Annotations (see
/// above) are none.
bool may_be_image(const std::filesystem::path& path);

}  // namespace dfine::inline formats
