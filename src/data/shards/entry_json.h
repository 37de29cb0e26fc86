#pragma once
// A shard's entry as JSON, as manifests and the records of parts hold it.
#include <nlohmann/json.hpp>

#include "data/shards/manifest.h"

namespace dfine::inline shards {

/// Numbers alone: the part of an entry that totals have too.
nlohmann::ordered_json shard_counts_to_json(const ShardEntry& entry);
ShardEntry shard_counts_from_json(const nlohmann::ordered_json& json);

nlohmann::ordered_json shard_entry_to_json(const ShardEntry& entry);
/// Throws Error or nlohmann's exception where a key is missing or unfit.
ShardEntry shard_entry_from_json(const nlohmann::ordered_json& json);

}  // namespace dfine::inline shards
