#include "data/shards/manifest.h"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"
#include "data/shards/entry_json.h"
#include "data/shards/format.h"
#include "data/split_names.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "dfine-pack";
constexpr const char* kChecksum = "crc32c";

std::string text_of(const Json& json) {
  return json.dump(2) + "\n";
}

/// Of everything else in the manifest, as its file holds it without this key.
uint32_t checksum_of(const Json& without_checksum) {
  return crc32c(text_of(without_checksum));
}

/// Packs of earlier versions have no checksum.
void check_checksum(Json json) {
  if (!json.contains(kChecksum)) return;
  const uint32_t stated = checksum_from_text(json.at(kChecksum).get<std::string>());
  json.erase(kChecksum);
  if (checksum_of(json) != stated)
    throw Error(kFileDamaged,
                "its checksum does not fit its content: the manifest was edited, or is damaged",
                "copy it again from where the pack was made, or pack the dataset again");
}

/// shard-00000.h5, shard-00001.h5, ...: each once and in this order. A number may be missing: of a
/// shard whose images were all skipped.
void check_names(const std::vector<ShardEntry>& shards) {
  size_t next = 0;
  for (const ShardEntry& shard : shards) {
    size_t number = 0;
    constexpr std::string_view kPrefix = "shard-";
    if (shard.file.starts_with(kPrefix))
      std::from_chars(shard.file.data() + kPrefix.size(), shard.file.data() + shard.file.size(),
                      number);
    if (shard.file != shard_file_name(number))
      throw Error(kFileDamaged, str_cat("'", shard.file, "' is not the name of a shard"));
    if (number < next)
      throw Error(kFileDamaged, str_cat("it lists ", shard.file,
                                        " twice, or after a later shard: the manifest was edited"));
    next = number + 1;
  }
}

Manifest parse(const Json& json) {
  if (json.at("format") != kFormat)
    throw Error(kFormatInvalid, str_cat("it describes a \"", json.at("format").get<std::string>(),
                                        "\", not a \"", kFormat, "\""));
  const auto version = json.at("format_version").get<int64_t>();
  if (version != kFormatVersion) {
    throw Error(kVersionMismatch,
                str_cat("its format_version is ", version, "; this program reads ", kFormatVersion),
                "pack the dataset again");
  }
  Manifest manifest;
  for (const auto& category : json.at("categories")) {
    manifest.categories.push_back(
        {category.at("id").get<int64_t>(), category.at("name").get<std::string>()});
  }
  for (const auto& shard : json.at("shards"))
    manifest.shards.push_back(shard_entry_from_json(shard));
  check_names(manifest.shards);
  if (!(shard_counts_from_json(json.at("totals")) == manifest.totals()))
    throw Error(kFileDamaged, "its totals are not the sums over its shards");
  check_checksum(json);
  return manifest;
}

[[noreturn]] void refuse_missing(const fs::path& folder) {
  std::error_code failed;
  const fs::path parts = fs::path(folder.has_filename() ? folder : folder.parent_path()) +=
      ".parts";
  if (fs::is_directory(parts, failed))
    throw Error(kFileMissing,
                str_cat("the pack ", folder.string(),
                        " does not exist: only parts of it are packed, in ", parts.string()),
                "pack the other parts (--part i/n) first");
  throw Error(
      kFileMissing, str_cat("the pack ", folder.string(), " does not exist"),
      str_cat("check the path; relative paths start at ", fs::current_path(failed).string()));
}

[[noreturn]] void refuse_without_manifest(const fs::path& folder) {
  std::string packs;
  for (const char* set : {kTrainSet, kValSet}) {
    std::error_code failed;
    if (fs::exists(folder / set / kManifestName, failed))
      packs += str_cat(packs.empty() ? "" : " or ", (folder / set).string());
  }
  throw Error(kFormatInvalid, str_cat(folder.string(), " is not a pack: it has no ", kManifestName),
              packs.empty() ? "give the folder that dfine-pack wrote (its --output)"
                            : "it holds packs: give " + packs);
}

/// Opens the manifest of `folder`, or says why that is no pack.
std::ifstream open_manifest(const fs::path& folder) {
  std::error_code failed;
  const fs::file_status status = fs::status(folder, failed);
  if (status.type() == fs::file_type::not_found) refuse_missing(folder);
  if (fs::exists(status) && !fs::is_directory(status))
    throw Error(kFormatInvalid, str_cat(folder.string(), " is a file, not a pack"),
                "give the folder that dfine-pack wrote (its --output)");
  std::ifstream in(folder / kManifestName);
  if (in) return in;
  if (errno == ENOENT) refuse_without_manifest(folder);
  throw Error(read_error_code(errno),
              str_cat("cannot read ", (folder / kManifestName).string(), ": ",
                      std::generic_category().message(errno)),
              "check its permissions");
}

}  // namespace

ShardEntry Manifest::totals() const {
  return sum_of(shards);
}

ShardEntry sum_of(const std::vector<ShardEntry>& shards) {
  ShardEntry sum;
  for (const auto& shard : shards) {
    sum.images += shard.images;
    sum.boxes += shard.boxes;
    sum.dropped_boxes += shard.dropped_boxes;
    sum.image_bytes += shard.image_bytes;
    sum.file_bytes += shard.file_bytes;
  }
  return sum;
}

std::string manifest_text(const Manifest& manifest) {
  Json categories = Json::array(), shards = Json::array();
  for (const auto& category : manifest.categories)
    categories.push_back({{"id", category.id}, {"name", category.name}});
  for (const auto& shard : manifest.shards) shards.push_back(shard_entry_to_json(shard));
  Json json{{"format", kFormat},
            {"format_version", kFormatVersion},
            {"totals", shard_counts_to_json(manifest.totals())},
            {"categories", std::move(categories)},
            {"shards", std::move(shards)}};
  json[kChecksum] = checksum_text(checksum_of(json));
  return text_of(json);
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestName;
  std::ifstream in = open_manifest(folder);
  const ErrorContext at("in ", path.string());
  try {
    return parse(Json::parse(in));
  } catch (const Json::exception& e) {
    throw Error(kFileDamaged, str_cat("the manifest is damaged: ", e.what()),
                "pack the dataset again");
  }
}

}  // namespace dfine::inline shards
