#include "data/shards/entry_json.h"

#include "core/crc32c.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline shards {
using enum ErrorCode;
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json shard_counts_to_json(const ShardEntry& entry) {
  return {{"images", entry.images},
          {"boxes", entry.boxes},
          {"dropped_boxes", entry.dropped_boxes},
          {"image_bytes", entry.image_bytes},
          {"file_bytes", entry.file_bytes}};
}

ShardEntry shard_counts_from_json(const Json& json) {
  ShardEntry entry;
  entry.images = json.at("images").get<uint64_t>();
  entry.boxes = json.at("boxes").get<uint64_t>();
  entry.dropped_boxes = json.at("dropped_boxes").get<uint64_t>();
  entry.image_bytes = json.at("image_bytes").get<uint64_t>();
  entry.file_bytes = json.at("file_bytes").get<uint64_t>();
  return entry;
}

Json shard_entry_to_json(const ShardEntry& entry) {
  Json json{{"file", entry.file}};
  json.update(shard_counts_to_json(entry));
  json["image_bytes_offset"] = entry.image_bytes_offset;
  json["index_crc32c"] = checksum_text(entry.index_crc32c);
  return json;
}

ShardEntry shard_entry_from_json(const Json& json) {
  ShardEntry entry = shard_counts_from_json(json);
  entry.file = json.at("file").get<std::string>();
  if (entry.file.empty() || entry.file.find('/') != std::string::npos)
    throw Error(kFileDamaged, str_cat("'", entry.file, "' is not the name of a shard"));
  entry.image_bytes_offset = json.at("image_bytes_offset").get<uint64_t>();
  entry.index_crc32c = checksum_from_text(json.at("index_crc32c").get<std::string>());
  return entry;
}

}  // namespace dfine::inline shards
