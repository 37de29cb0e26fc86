#pragma once
// Files and folders that appear whole or not at all. They are written beside their place under a
// temporary name, forced to disk and renamed at the end. A reader sees the old content or the new,
// never a part; whatever fails before leaves the old content as it was.
//
// The temporary name is `.NAME.partial-PROCESS-N` (PROCESS: files/process_id.h). What a killed
// process left behind under such a name is removed by the next writer of the same target. That
// writer has to see that the process is gone, so it runs on the same host and not in another
// container. Otherwise remove_leftovers_in() helps.
//
// Folders on the way to the target are made where they are missing, and removed again when nothing
// is committed.
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

namespace dfine::inline files {

/// The missing ones among `folder` and those above it, made; what is still empty of them is removed
/// again at the end, unless kept.
class MadeFolders {
 public:
  /// Throws Error when a folder cannot be made.
  explicit MadeFolders(const std::filesystem::path& folder);
  ~MadeFolders();
  MadeFolders(const MadeFolders&) = delete;
  MadeFolders& operator=(const MadeFolders&) = delete;

  /// Forces the new folders to disk, and lets them stay.
  void keep();

 private:
  void remove() noexcept;

  std::vector<std::filesystem::path> made_;  // from the outermost to `folder`
};

/// One file.
///   AtomicFile file("metrics.json");
///   write(file.path());          // with any library; the file exists and is empty
///   file.commit();
class AtomicFile {
 public:
  /// Creates the empty temporary file. Throws Error when that is not possible.
  explicit AtomicFile(std::filesystem::path target);
  /// Removes the temporary file unless committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where to write; close the file before commit().
  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& target() const { return target_; }
  /// Forces the content to disk and gives it its name, replacing an existing file. Throws Error
  /// (disk full, ...), leaving the target alone.
  void commit();

 private:
  std::filesystem::path target_;
  MadeFolders parents_;
  std::filesystem::path path_;
  bool committed_ = false;
};

/// One folder with everything in it.
class AtomicFolder {
 public:
  /// Creates the empty temporary folder. Throws Error when that is not possible.
  explicit AtomicFolder(std::filesystem::path target);
  /// Removes the temporary folder unless committed.
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  /// Where to write; close all files before commit().
  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& target() const { return target_; }
  /// Forces every file to disk and gives the folder its name. An existing folder of that name is
  /// replaced in one step where the file system can exchange two names (ext4, xfs, btrfs, tmpfs).
  /// Else the old one is renamed first, and for a moment there is neither. The old content is
  /// removed when the new names are on disk. `before_replacing` is called when all is on disk and
  /// an existing folder is about to be replaced. What it throws leaves the folder as it is. Throws
  /// Error, leaving the target alone.
  void commit(const std::function<void()>& before_replacing = [] {});
  /// The same, but replaces nothing: whatever stands there by now, an empty folder apart, is an
  /// Error and left alone.
  void commit_new();

 private:
  /// Gives the two folders each other's place; returns where the old one is now.
  std::filesystem::path exchange();

  std::filesystem::path target_;
  MadeFolders parents_;
  std::filesystem::path path_;
  bool committed_ = false;
};

/// Removes every temporary in `folder` (`.NAME.partial-...`), whoever made it; what cannot be
/// removed stays. For those who know that nobody else writes there, since they hold its lock.
void remove_leftovers_in(const std::filesystem::path& folder);

/// Writes `text` to `target` through AtomicFile.
void write_file_atomically(const std::filesystem::path& target, std::string_view text);

}  // namespace dfine::inline files
