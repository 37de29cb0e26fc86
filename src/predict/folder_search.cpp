#include "predict/folder_search.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/text.h"
#include "data/formats/image_folder.h"
#include "image/file_kind.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;

void FolderSearch::search(const fs::path& folder, bool hidden) {
  const auto identity = find_file_id(folder);
  if (identity && std::ranges::find(above_, *identity) != above_.end()) {
    found_.skipped.push_back({folder, "a link to a folder that contains it"});
    return;
  }
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  if (identity) above_.push_back(*identity);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    const bool dot = entry->path().filename().native().starts_with('.');
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      search(entry->path(), hidden || dot);
    } else if (hidden || dot) {
      found_.skipped.push_back({entry->path(), "hidden"});
    } else {
      add(*entry);
    }
  }
  if (identity) above_.pop_back();
  if (failed)
    found_.unreadable.push_back({folder, str_cat("the folder cannot be read: ", failed.message())});
}

void FolderSearch::add(const fs::directory_entry& entry) {
  const fs::path& path = entry.path();
  const bool named_image = has_image_extension(path);
  const auto set_aside = [&](const std::string& reason) {
    (named_image ? found_.unreadable : found_.skipped).push_back({path, reason});
  };
  std::error_code failed;
  const fs::file_status status = entry.status(failed);
  if (!fs::exists(status)) {
    set_aside(entry.is_symlink(failed) ? "a link to a file that does not exist"
                                       : "it cannot be found");
    return;
  }
  if (!fs::is_regular_file(status)) {
    set_aside("not a regular file");
    return;
  }
  if (named_image) {  // opened once, when it is predicted
    add_image(path);
    return;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    set_aside(str_cat("cannot be opened: ", std::strerror(errno)));
    return;
  }
  const auto kind = file_kind(file);
  if (kind && kind->image) {
    add_image(path);
  } else {
    found_.skipped.push_back({path, kind ? std::string(kind->name) : "not an image"});
  }
}

void FolderSearch::add_image(const fs::path& path) {
  found_.images.push_back({path, path.lexically_relative(root_).string()});
}

ImageListing FolderSearch::take() {
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::ranges::sort(found_.images, {}, &ImageFile::name);
  std::ranges::sort(found_.unreadable, by_path);
  std::ranges::sort(found_.skipped, by_path);
  return std::move(found_);
}

}  // namespace dfine::inline predict
