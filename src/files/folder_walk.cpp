#include "files/folder_walk.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "files/file_id.h"

namespace dfine::inline files {
namespace fs = std::filesystem;

FolderFiles walk_folder(const fs::path& folder) {
  FolderFiles found;
  try {
    std::vector<FileId> above{
        file_id(folder)};  // the folder itself and those on the way to the entry
    fs::recursive_directory_iterator entry(folder, fs::directory_options::follow_directory_symlink);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
      above.resize(static_cast<size_t>(entry.depth()) + 1);
      std::error_code failed;
      const bool is_folder = entry->is_directory(failed);
      if (entry->path().filename().string().starts_with('.')) {
        found.hidden.push_back(entry->path().lexically_relative(folder));
        entry.disable_recursion_pending();
      } else if (!is_folder) {
        found.files.push_back(entry->path().lexically_relative(folder));
      } else if (const FileId id = file_id(entry->path());
                 std::ranges::find(above, id) != above.end()) {
        found.cycles.push_back(entry->path().lexically_relative(folder));
        entry.disable_recursion_pending();
      } else {
        above.push_back(id);
      }
    }
  } catch (const fs::filesystem_error& e) {
    throw Error(read_error_code(e.code().value()),
                str_cat("cannot read the folder ", folder.string(), ": ", e.code().message()),
                "check its permissions");
  }
  std::ranges::sort(found.files);
  std::ranges::sort(found.hidden);
  std::ranges::sort(found.cycles);
  return found;
}

}  // namespace dfine::inline files
