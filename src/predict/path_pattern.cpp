#include "predict/path_pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "files/file_id.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;
namespace {

class PatternSearch {
 public:
  explicit PatternSearch(const fs::path& pattern) : parts_(pattern.begin(), pattern.end()) {
    size_t fixed = 0;
    for (; fixed < parts_.size() && !is_pattern(parts_[fixed]); ++fixed)
      found_.root /= parts_[fixed];
    search(found_.root, fixed);
  }

  PatternMatches take() { return std::move(found_); }

 private:
  /// `path` matches the parts before `part`.
  void search(const fs::path& path, size_t part) {
    std::error_code failed;
    if (part == parts_.size()) {
      found_.paths.insert(path);
    } else if (parts_[part] == "**") {
      search_below(path, part);
    } else if (!is_pattern(parts_[part])) {
      const fs::path next = path / parts_[part];
      if (fs::exists(fs::symlink_status(next, failed))) search(next, part + 1);
    } else {
      for (const fs::path& name : names_in(path))
        if (::fnmatch(parts_[part].c_str(), name.c_str(), FNM_PERIOD) == 0)
          search(path / name, part + 1);
    }
  }

  /// The folder and, not through hidden ones or in a circle, those below it.
  void search_below(const fs::path& folder, size_t part) {
    const auto identity = find_file_id(folder.empty() ? "." : folder);
    if (!identity || std::ranges::find(above_, *identity) != above_.end()) return;
    search(folder, part + 1);
    above_.push_back(*identity);
    for (const fs::path& name : names_in(folder)) {
      std::error_code failed;
      if (!name.native().starts_with('.') && fs::is_directory(folder / name, failed))
        search_below(folder / name, part);
    }
    above_.pop_back();
  }

  static std::vector<fs::path> names_in(const fs::path& folder) {
    std::vector<fs::path> names;
    std::error_code failed;
    fs::directory_iterator entry(folder.empty() ? "." : folder, failed);
    for (; !failed && entry != fs::directory_iterator(); entry.increment(failed))
      names.push_back(entry->path().filename());
    return names;
  }

  const std::vector<fs::path> parts_;
  std::vector<FileId> above_;
  PatternMatches found_;
};

}  // namespace

bool is_pattern(const fs::path& path) {
  return path.native().find_first_of("*?[") != std::string::npos;
}

PatternMatches match_pattern(const fs::path& pattern) {
  return PatternSearch(pattern).take();
}

}  // namespace dfine::inline predict
