#pragma once
#include <filesystem>
#include <set>

namespace dfine::inline predict {

/// Whether the path has a wildcard: *, ? or [.
bool is_pattern(const std::filesystem::path& path);

struct PatternMatches {
  std::filesystem::path root;             // the folder before the first part with a wildcard
  std::set<std::filesystem::path> paths;  // files and folders
};

/// The files and folders of such a name, as a shell finds them (fnmatch). Wildcards stand for any
/// characters of a name, but not for the dot of a hidden one. A part "**" stands for any number of
/// folders, none too, that are not hidden. Folders that cannot be read match nothing.
PatternMatches match_pattern(const std::filesystem::path& pattern);

}  // namespace dfine::inline predict
