#include "weights/folder_manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/byte_file.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "dfine-checkpoint";
constexpr int64_t kFormatVersion = 2;  // of version 0.1, without a manifest, it was 1
constexpr const char* kChecksum = "crc32c";
constexpr const char* kChangedOnPurpose =
    "if it was changed on purpose, remove manifest.json from a copy of the folder: that can be "
    "evaluated, but no run can continue from it";

/// The manifest's file: its last entry is the checksum of the text without it.
std::string text_of(Json manifest) {
  manifest[kChecksum] = checksum_text(crc32c(manifest.dump(2)));
  return manifest.dump(2) + "\n";
}

FolderManifest parse(const std::string& text) {
  Json json = Json::parse(text);
  if (json.value("format", "") != kFormat)
    throw Error(kFormatInvalid, str_cat("it is not a manifest of a ", kFormat));
  json.erase(kChecksum);
  // Before anything else is believed.
  if (text_of(json) != text)
    throw Error(kFileDamaged,
                "its checksum does not fit its content: it was edited, or is damaged");
  const auto version = json.at("format_version").get<int64_t>();
  if (version != kFormatVersion)
    throw Error(kVersionMismatch, str_cat("it is of format version ", version,
                                          ", this program reads version ", kFormatVersion));
  FolderManifest manifest;
  for (const auto& [name, file] : json.at("files").items())
    manifest.files[name] = {.size = file.at("size").get<uint64_t>(),
                            .crc32c = checksum_from_text(file.at(kChecksum).get<std::string>())};
  for (const char* own : {"format", "format_version", "files"}) json.erase(own);
  manifest.content = json.dump();
  return manifest;
}

}  // namespace

void write_folder_manifest(const fs::path& folder, const std::string& content,
                           const std::map<std::string, FileChecksum>& known) {
  Json manifest{{"format", kFormat}, {"format_version", kFormatVersion}};
  manifest.update(Json::parse(content));
  std::map<std::string, FileChecksum> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kManifestFile) continue;
    const auto found = known.find(name);
    files[name] = found != known.end() ? found->second : file_checksum(entry.path());
  }
  for (const auto& [name, file] : files)
    manifest["files"][name] = {{"size", file.size}, {kChecksum, checksum_text(file.crc32c)}};
  write_file_atomically(folder / kManifestFile, text_of(std::move(manifest)));
}

std::optional<FolderManifest> read_folder_manifest(const fs::path& folder) {
  const fs::path file = folder / kManifestFile;
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::nullopt;
  const ErrorContext at("while reading ", file.string());
  std::vector<uint8_t> bytes;
  const ByteFile opened(file);
  opened.read(0, opened.size(), bytes);
  try {
    return parse({bytes.begin(), bytes.end()});
  } catch (const Json::exception& e) {
    throw Error(kFileDamaged, str_cat("it is not as training writes it: ", e.what()));
  }
}

void verify_file(const fs::path& folder, const std::string& name, const FolderManifest& manifest) {
  const fs::path path = folder / name;
  const auto listed = manifest.files.find(name);
  if (listed == manifest.files.end())
    throw Error(kFileDamaged,
                str_cat(kManifestFile, " of ", folder.string(), " does not list ", name));
  std::error_code failed;
  if (!fs::exists(path, failed)) throw Error(kFileMissing, str_cat(path.string(), " is missing"));
  const FileChecksum found = file_checksum(path);
  if (found.size != listed->second.size)
    throw Error(kFileDamaged,
                str_cat(path.string(), " has ", found.size, " bytes; ", listed->second.size,
                        " were written"),
                kChangedOnPurpose);
  if (found.crc32c != listed->second.crc32c)
    throw Error(
        kFileDamaged,
        str_cat(path.string(), " is damaged: its checksum is not the one in ", kManifestFile),
        kChangedOnPurpose);
}

void verify_files(const fs::path& folder, const FolderManifest& manifest) {
  for (const auto& [name, file] : manifest.files) verify_file(folder, name, manifest);
}

void verify_if_listed(const fs::path& file) {
  const std::string name = file.filename().string();
  const auto manifest = read_folder_manifest(file.parent_path());
  if (manifest && manifest->files.contains(name)) verify_file(file.parent_path(), name, *manifest);
}

}  // namespace dfine::inline weights
