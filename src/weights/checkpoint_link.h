#pragma once
// checkpoints/last, best and best_stage1 are symbolic links to a folder beside them, such as
// step-00000120. Where the file system has no symbolic links they are files with one line: the name
// of that folder. All programs that take a checkpoint's path accept both.
#include <filesystem>
#include <string>

namespace dfine::inline weights {

/// The folder that the link file `path` names; any other path as it is.
std::filesystem::path follow_link_file(const std::filesystem::path& path);

/// Makes `link` a link to the folder `name` beside it, and forces that to disk. A reader sees the
/// old link or the new one. Throws Error where a folder stands there, or the link cannot be
/// written.
void write_checkpoint_link(const std::filesystem::path& link, const std::string& name);

/// The name that `link` links to, of either form; empty where it is no link.
std::string read_checkpoint_link(const std::filesystem::path& link);

}  // namespace dfine::inline weights
