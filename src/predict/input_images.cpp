#include "predict/input_images.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/formats/image_folder.h"
#include "files/absolute_path.h"
#include "files/file_id.h"
#include "image/file_kind.h"

namespace dfine::inline predict {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

void remove_repeated(auto& files) {
  std::set<fs::path> seen;
  std::erase_if(files,
                [&](const auto& file) { return !seen.insert(absolute_path(file.path)).second; });
}

/// `name` with one more folder of the path it ends: a.jpg of /x/y/a.jpg becomes y/a.jpg, at last
/// x/y/a.jpg.
std::string longer_name(const ImageFile& file) {
  const auto path = absolute_path(file.path).relative_path();
  const fs::path name(file.name);
  const auto whole = std::distance(path.begin(), path.end()),
             kept = std::distance(name.begin(), name.end());
  fs::path longer;
  const auto skipped = std::max<std::ptrdiff_t>(0, whole - kept - 1);
  for (auto part = std::next(path.begin(), skipped); part != path.end(); ++part) longer /= *part;
  return longer.string();
}

/// Ends, because the paths differ and names only grow towards them.
void tell_names_apart(std::vector<ImageFile>& files) {
  for (bool changed = true; std::exchange(changed, false);) {
    std::map<std::string, int> count;
    for (const ImageFile& file : files) ++count[file.name];
    for (ImageFile& file : files) {
      if (count[file.name] < 2) continue;
      file.name = longer_name(file);
      changed = true;
    }
  }
}

/// Searches one folder and those below it.
class FolderSearch {
 public:
  explicit FolderSearch(fs::path root) : root_(std::move(root)) { search(root_, /*hidden=*/false); }

  ImageListing take() {
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::ranges::sort(found_.images, {}, &ImageFile::name);
    std::ranges::sort(found_.unreadable, by_path);
    std::ranges::sort(found_.skipped, by_path);
    return std::move(found_);
  }

 private:
  void search(const fs::path& folder, bool hidden) {
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
      found_.unreadable.push_back(
          {folder, str_cat("the folder cannot be read: ", failed.message())});
  }

  /// A file that is not hidden.
  void add(const fs::directory_entry& entry) {
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
    std::array<uint8_t, kFileKindBytes> bytes{};
    file.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
    const auto kind = file_kind(std::span(bytes).first(static_cast<size_t>(file.gcount())));
    if (kind && kind->image) {
      add_image(path);
    } else {
      found_.skipped.push_back({path, kind ? std::string(kind->name) : "not an image"});
    }
  }

  void add_image(const fs::path& path) {
    found_.images.push_back({path, path.lexically_relative(root_).string()});
  }

  fs::path root_;
  std::vector<FileId> above_;  // the root and the folders on the way to the one that is searched
  ImageListing found_;
};

template <class T>
void append(std::vector<T>& all, std::vector<T> more) {
  std::ranges::move(more, std::back_inserter(all));
}

}  // namespace

ImageListing collect_images(const std::vector<fs::path>& paths) {
  ImageListing all;
  for (const auto& path : paths) {
    std::error_code failed;
    const auto status = fs::status(path, failed);
    if (!fs::exists(status)) {
      const bool link = fs::is_symlink(fs::symlink_status(path, failed));
      throw Error(kFileMissing,
                  str_cat(printable(path), link ? ": a link to a file that does not exist"
                                                : ": no such file or folder"),
                  "give image files or folders to --images");
    }
    if (fs::is_regular_file(status)) {
      all.images.push_back({path, path.filename().string()});
      continue;
    }
    if (!fs::is_directory(status)) {  // reading a pipe may wait for ever
      all.unreadable.push_back({path, "not a regular file"});
      continue;
    }
    ImageListing found = FolderSearch(path).take();
    if (found.images.empty() && found.unreadable.empty()) {
      throw Error(
          kDatasetTooSmall,
          str_cat(
              printable(path), ": there are no images in this folder",
              found.skipped.empty() ? "" : str_cat("; it holds\n", group_by_reason(found.skipped))),
          "give image files or folders to --images");
    }
    append(all.images, std::move(found.images));
    append(all.unreadable, std::move(found.unreadable));
    append(all.skipped, std::move(found.skipped));
  }
  remove_repeated(all.images);
  remove_repeated(all.unreadable);
  remove_repeated(all.skipped);
  tell_names_apart(all.images);
  return all;
}

std::string group_by_reason(const std::vector<FileNote>& notes) {
  constexpr size_t kShown = 5;
  std::map<std::string, std::vector<std::string>> groups;
  for (const FileNote& note : notes) groups[note.reason].push_back(printable(note.path));
  std::string text;
  for (const auto& [reason, names] : groups) {
    text += str_cat(text.empty() ? "  " : "\n  ", reason, ": ",
                    counted(static_cast<int64_t>(names.size()), "file"), " (");
    for (size_t k = 0; k < std::min(names.size(), kShown); ++k)
      text += str_cat(k > 0 ? ", " : "", names[k]);
    text +=
        names.size() > kShown
            ? str_cat(" and ", with_commas(static_cast<int64_t>(names.size() - kShown)), " more)")
            : ")";
  }
  return text;
}

}  // namespace dfine::inline predict
