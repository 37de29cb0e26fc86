#include "predict/input_images.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/formats/image_folder.h"
#include "files/absolute_path.h"
#include "files/lower_extension.h"
#include "image/file_kind.h"
#include "predict/folder_search.h"
#include "predict/path_pattern.h"

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

/// What the given paths hold, one after the other.
class Collection {
 public:
  /// A file, a folder, a pattern or a list.
  void add(const fs::path& path) {
    if (is_list(path)) {
      add_list(path);
    } else if (!fs::exists(path) && is_pattern(path)) {
      add_pattern(path);
    } else {
      add(path, path.filename());
    }
  }

  ImageListing take() {
    remove_repeated(all_.images);
    remove_repeated(all_.unreadable);
    remove_repeated(all_.skipped);
    tell_names_apart(all_.images);
    return std::move(all_);
  }

 private:
  static bool is_list(const fs::path& path) {
    std::error_code failed;
    if (lower_extension(path) != ".txt" || !fs::is_regular_file(path, failed)) return false;
    std::ifstream file(path, std::ios::binary);
    const auto kind = file_kind(file);
    return !kind || !kind->image;
  }

  /// A file, which gets this name, or a folder.
  void add(const fs::path& path, const fs::path& name) {
    std::error_code failed;
    const auto status = fs::status(path, failed);
    if (!fs::exists(status)) {
      const bool link = fs::is_symlink(fs::symlink_status(path, failed));
      throw Error(kFileMissing,
                  str_cat(printable(path), link ? ": a link to a file that does not exist"
                                                : ": no such file or folder"),
                  kHint);
    }
    if (fs::is_regular_file(status)) {
      all_.images.push_back({path, name.string()});
    } else if (fs::is_directory(status)) {
      FolderSearch folder(path);
      folder.search(path);
      append(folder.take(), str_cat(printable(path), ": there are no images in this folder"));
    } else {  // reading a pipe may wait for ever
      all_.unreadable.push_back({path, "not a regular file"});
    }
  }

  void add_pattern(const fs::path& pattern) {
    const PatternMatches matches = match_pattern(pattern);
    if (matches.paths.empty())
      throw Error(kFileMissing, str_cat(printable(pattern), ": no file or folder has such a name"),
                  kHint);
    FolderSearch found(matches.root);
    for (const fs::path& path : matches.paths) {
      std::error_code failed;
      fs::is_directory(path, failed) ? found.search(path) : found.add(fs::directory_entry(path));
    }
    append(found.take(), str_cat(printable(pattern), ": no image has such a name"));
  }

  void add_list(const fs::path& list) {
    const size_t before = all_.images.size() + all_.unreadable.size();
    for (const auto& [number, text] : read_numbered_lines(list)) {
      if (text.starts_with('#')) continue;
      const ErrorContext at("in ", [&] { return at_line(list, number); });
      const fs::path line = fs::path(text).lexically_normal(), path = list.parent_path() / line;
      const bool below = line.is_relative() && *line.begin() != "..";
      add(path, below ? line : line.filename());
    }
    if (all_.images.size() + all_.unreadable.size() == before)
      throw Error(kDatasetTooSmall, str_cat(printable(list), ": this list names no images"),
                  "one path per line, relative to the list; lines that begin with # are comments");
  }

  void append(ImageListing found, const std::string& nothing) {
    if (found.images.empty() && found.unreadable.empty()) {
      throw Error(kDatasetTooSmall,
                  str_cat(nothing, found.skipped.empty()
                                       ? ""
                                       : str_cat("; it holds\n", group_by_reason(found.skipped))),
                  kHint);
    }
    std::ranges::move(found.images, std::back_inserter(all_.images));
    std::ranges::move(found.unreadable, std::back_inserter(all_.unreadable));
    std::ranges::move(found.skipped, std::back_inserter(all_.skipped));
  }

  static constexpr const char* kHint = "give image files, folders, a pattern or a list to --images";
  ImageListing all_;
};

}  // namespace

ImageListing collect_images(const std::vector<fs::path>& paths) {
  Collection all;
  for (const auto& path : paths) all.add(path);
  return all.take();
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
