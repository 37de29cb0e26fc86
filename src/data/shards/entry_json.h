#pragma once
// A shard's entry as JSON, as manifests and the records of parts hold it.
#include <nlohmann/json.hpp>

#include "data/shards/manifest.h"

namespace dfine::inline shards {

/// A checksum as manifests write it: 8 hexadecimal digits.
std::string checksum_text(uint32_t value);
/// Throws Error where the text is no such.
uint32_t checksum_from_text(const std::string& text);

/// Numbers alone: the part of an entry that totals have too.
nlohmann::ordered_json shard_counts_to_json(const ShardEntry& entry);
ShardEntry shard_counts_from_json(const nlohmann::ordered_json& json);

nlohmann::ordered_json shard_entry_to_json(const ShardEntry& entry);
/// Throws Error or nlohmann's exception where a key is missing or unfit.
ShardEntry shard_entry_from_json(const nlohmann::ordered_json& json);

}  // namespace dfine::inline shards
