#pragma once
// manifest.json of a checkpoint folder: which files belong to it, with their sizes and checksums,
// and what training says of itself. It is written last: a folder that has one is complete.
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "files/file_checksum.h"

namespace dfine::inline weights {

inline constexpr const char* kManifestFile = "manifest.json";

struct FolderManifest {
  std::map<std::string, FileChecksum> files;  // by name, all but manifest.json itself
  std::string content;                        // more entries: a JSON object
};

/// Reads all files of `folder`, and writes its manifest with their sizes and checksums. `known`:
/// files that need not be read, such as links to those of another folder.
void write_folder_manifest(const std::filesystem::path& folder, const std::string& content,
                           const std::map<std::string, FileChecksum>& known = {});

/// Nothing where there is none. Every byte of the file counts: an Error of a damaged one names it.
std::optional<FolderManifest> read_folder_manifest(const std::filesystem::path& folder);

/// Throws Error naming the file unless it is byte for byte the one that the manifest lists.
void verify_file(const std::filesystem::path& folder, const std::string& name,
                 const FolderManifest& manifest);

/// The same for all files that the manifest lists.
void verify_files(const std::filesystem::path& folder, const FolderManifest& manifest);

/// The same for one file of a folder that may have no manifest: there is nothing to compare then.
void verify_if_listed(const std::filesystem::path& file);

}  // namespace dfine::inline weights
