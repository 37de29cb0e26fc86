#include "data/manifest.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/atomic_path.h"
#include "core/error.h"
#include "core/text.h"
#include "data/shard_format.h"

namespace dfine {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "dfine-pack";

std::string hex(uint32_t value) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", value);
  return text.data();
}

uint32_t from_hex(const std::string& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 8)
    throw Error(cat("'", text, "' is not a checksum of 8 digits"));
  return value;
}

Json counts(const ShardEntry& entry) {
  return {{"images", entry.images},
          {"boxes", entry.boxes},
          {"dropped_boxes", entry.dropped_boxes},
          {"image_bytes", entry.image_bytes},
          {"file_bytes", entry.file_bytes}};
}

ShardEntry read_counts(const Json& json) {
  ShardEntry entry;
  entry.images = json.at("images").get<uint64_t>();
  entry.boxes = json.at("boxes").get<uint64_t>();
  entry.dropped_boxes = json.at("dropped_boxes").get<uint64_t>();
  entry.image_bytes = json.at("image_bytes").get<uint64_t>();
  entry.file_bytes = json.at("file_bytes").get<uint64_t>();
  return entry;
}

Manifest parse(const Json& json) {
  if (json.at("format") != kFormat)
    throw Error(cat("it describes a \"", json.at("format").get<std::string>(), "\", not a \"", kFormat, "\""));
  const auto version = json.at("format_version").get<int64_t>();
  if (version != kFormatVersion) {
    throw Error(cat("its format_version is ", version, "; this program reads ", kFormatVersion), "pack the data set again");
  }
  Manifest manifest;
  for (const auto& category : json.at("categories")) {
    manifest.categories.push_back({category.at("id").get<int64_t>(), category.at("name").get<std::string>()});
  }
  for (const auto& shard : json.at("shards")) {
    ShardEntry entry = read_counts(shard);
    entry.file = shard.at("file").get<std::string>();
    if (entry.file.empty() || entry.file.find('/') != std::string::npos) throw Error(cat("'", entry.file, "' is not the name of a shard"));
    entry.image_bytes_offset = shard.at("image_bytes_offset").get<uint64_t>();
    entry.index_crc32c = from_hex(shard.at("index_crc32c").get<std::string>());
    manifest.shards.push_back(std::move(entry));
  }
  if (!(read_counts(json.at("totals")) == manifest.totals())) throw Error("its totals are not the sums over its shards");
  return manifest;
}

}  // namespace

ShardEntry Manifest::totals() const {
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

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  Json categories = Json::array(), shards = Json::array();
  for (const auto& category : manifest.categories) categories.push_back({{"id", category.id}, {"name", category.name}});
  for (const auto& shard : manifest.shards) {
    Json entry{{"file", shard.file}};
    entry.update(counts(shard));
    entry["image_bytes_offset"] = shard.image_bytes_offset;
    entry["index_crc32c"] = hex(shard.index_crc32c);
    shards.push_back(std::move(entry));
  }
  const Json json{{"format", kFormat},
                  {"format_version", kFormatVersion},
                  {"totals", counts(manifest.totals())},
                  {"categories", std::move(categories)},
                  {"shards", std::move(shards)}};
  write_file_atomically(folder / kManifestName, json.dump(2) + "\n");
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestName;
  std::ifstream in(path);
  if (!in)
    throw Error(cat(folder.string(), " is not a pack: it has no readable ", kManifestName),
                "make one with dfine-pack --images ... --output ...");
  return with_context(
      [&] {
        try {
          return parse(Json::parse(in));
        } catch (const Json::exception& e) {
          throw Error(cat("the manifest is damaged: ", e.what()), "pack the data set again");
        }
      },
      [&] { return "in " + path.string(); });
}

}  // namespace dfine
